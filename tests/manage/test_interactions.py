"""Heads of a layer taken together: what a profile keeps for it, and what it predicts."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import heedful
from heedful.errors import DataError
from heedful.manage.allocate.joint import Trial
from heedful.manage.interactions import loss, products, read, written
from heedful.manage.options.table import parse
from heedful.manage.profile import Profile
from heedful.manage.simulate import simulated
from manage.made import decoder

BATCHES = [{"input_ids": torch.randint(13, (2, 40), generator=torch.Generator().manual_seed(seed))} for seed in range(2)]
OPTIONS = ["full", "window(8,2)", "drop"]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return heedful.profile(decoder(dtype=torch.float32), BATCHES, options=OPTIONS)


def test_one_head_alone_is_the_fisher_estimate(profile: Profile) -> None:
    for site, table in zip(profile.sites, profile.interactions, strict=True):
        alone = np.einsum("hkhk->hk", table)
        rows = [profile.row(site.index, head) for head in range(site.heads)]
        np.testing.assert_allclose(alone, profile.losses["fisher"][rows], rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(table, table.transpose(2, 3, 0, 1), rtol=1e-5, atol=1e-12)


def test_together_is_the_square_of_the_sum() -> None:
    changes = torch.randn(3, 2, 4, 5)  # options, batch, heads, places
    table = products(list(zip((1, 2, 3), changes, strict=True)), heads=4, options=4)
    choice = [1, 0, 3, 2]
    summed = sum(changes[option - 1][:, head] for head, option in enumerate(choice) if option)
    assert loss(table, choice) == pytest.approx(0.5 * summed.square().sum().item(), rel=1e-5)
    assert loss(table, [0] * 4) == 0.0


def test_layers_add_up(profile: Profile) -> None:
    first, second = (("drop", "full", "window(8,2)", "drop"), ("full",) * 4), (("full",) * 4, ("window(8,2)",) * 4)
    both = (first[0], second[1])
    assert profile.together(both) == pytest.approx(profile.together(first) + profile.together(second))
    assert profile.together((("full",) * 4,) * 2) == 0.0
    assert replace(profile, interactions=()).together(both) is None


def test_a_layer_together_foretells_its_divergence() -> None:
    """Labels are drawn from the model's own predictions, so that the mean over them is the true Fisher information.

    The last layer's change at a place moves that place's predictions alone. With u = J δ (what the change adds to the logits, to first
    order) the estimate at a place is (u_y - E u)² / 2, y drawn from p: it has the mean Var_p(u) / 2 and the variance
    (E(u - Eu)⁴ - Var²) / 4. And KL(p, p · e^u) lies between Var_p(u) · g(-r) and Var_p(u) · g(r), g(r) = (eʳ - 1 - r) / r²,
    where r is the range of u, now the whole change: the third cumulant is nowhere more than r times the second.
    """
    model = decoder(dtype=torch.float64)
    batches = [drawn(model, seed) for seed in range(4)]
    found = heedful.profile(model, batches, options=["full", "window(40,2)"])
    names = (("full",) * 4, ("window(40,2)",) * 4)
    every = [moves(model, batch) for batch in batches]
    p, first, whole = (torch.cat(part) for part in zip(*every, strict=True))
    variance, fourth = moment(p, first, 2), moment(p, first, 4)
    error = ((fourth - variance.square()) / 4).sum().sqrt() / len(p)
    assert found.together(names) == pytest.approx(float(variance.mean() / 2), abs=4 * float(error))
    joint, spread, range_ = Trial(model, batches).joint([names])[0], moment(p, whole, 2), whole.amax(-1) - whole.amin(-1)
    rounding = 4 * torch.finfo(torch.float32).eps * float(range_.mean())  # of the differences of logarithms in float32
    assert float((spread * bent(-range_)).mean()) - rounding <= joint <= float((spread * bent(range_)).mean()) + rounding


def drawn(model: nn.Module, seed: int) -> dict[str, Tensor]:
    """Tokens at random, labelled by what the model itself predicts."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(13, (64, 64), generator=generator)
    with torch.no_grad():
        likely = model(ids).logits.softmax(-1)
    return {"input_ids": ids, "labels": torch.multinomial(likely.flatten(0, 1), 1, generator=generator).view_as(ids)}


@torch.no_grad()
def moves(model: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The probabilities of each place, and what the last layer's windows add to its logits: to first order, and in full."""
    outputs: list[Tensor] = []

    def logits(share: float | None) -> Tensor:
        """With so much of the change added to what the last attention gives; None: as it is, and it is kept."""

        def hook(module: nn.Module, inputs: object, out: Tensor) -> Tensor | None:
            outputs.append(out)
            return None if share is None else outputs[0] + share * (outputs[1] - outputs[0])

        handle = model.get_submodule("layers.1.attention").register_forward_hook(hook)
        try:
            found: Tensor = model(batch["input_ids"]).logits
        finally:
            handle.remove()
        return found.flatten(0, 1)

    dense = logits(None)
    with simulated(model, {(1, head): parse("window(40,2)") for head in range(4)}):
        planned = logits(None)
    step = 1e-4  # a central difference errs by its square
    return dense.softmax(-1), (logits(step) - logits(-step)) / (2 * step), planned - dense


def moment(p: Tensor, u: Tensor, order: int) -> Tensor:
    """The central moment of u under p."""
    return (p * (u - (p * u).sum(-1, keepdim=True)) ** order).sum(-1)


def bent(r: Tensor) -> Tensor:
    """(eʳ - 1 - r) / r², 1/2 at 0."""
    small = r.abs() < 1e-4
    safe = torch.where(small, 1.0, r)
    return torch.where(small, 0.5 + r / 6, (safe.expm1() - safe) / safe.square())


def test_written_and_read(profile: Profile, tmp_path: Path) -> None:
    again = Profile.load(profile.save(tmp_path / "p.json"))
    for table, other in zip(profile.interactions, again.interactions, strict=True):
        np.testing.assert_allclose(table, other, rtol=1e-6)
    assert read(written(profile.interactions[0]), 4, 3).shape == (4, 3, 4, 3)


@pytest.mark.parametrize("text", ["?", "", base64.b64encode(b"123").decode(), base64.b64encode(b"1234" * 5).decode()])
def test_damaged_tables_are_refused(profile: Profile, text: str, tmp_path: Path) -> None:
    path = profile.save(tmp_path / "p.json")
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "interactions": [text, text]}))
    with pytest.raises(DataError, match="damaged"):
        Profile.load(path)
