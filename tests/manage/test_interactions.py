"""Heads of a layer taken together: what a profile keeps for it, and what it predicts."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import heedful
from heedful.errors import DataError
from heedful.manage.allocate.joint import Trial
from heedful.manage.interactions import loss, products, read, written
from heedful.manage.profile import Profile
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
    model = decoder(dtype=torch.float32)
    batches = [{"input_ids": torch.randint(13, (8, 64), generator=torch.Generator().manual_seed(seed))} for seed in range(4)]
    found = heedful.profile(model, batches, options=["full", "window(48,2)"])
    names = (("full",) * 4, ("window(48,2)",) * 4)
    joint = Trial(model, batches).joint([names])[0]
    assert found.together(names) == pytest.approx(joint, rel=0.4)  # an untrained model's labels are not drawn from its predictions


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
