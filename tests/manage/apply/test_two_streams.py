"""A model that reads one text and writes another under a plan: what looks across is left whole, and cached steps agree with one pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import heedful
from heedful.errors import Unsupported
from heedful.manage.apply.apply import changed
from heedful.manage.watch import sites
from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.seq2seq.transformer import Transformer
from heedful.spec.seq2seq import Seq2SeqSpec

SOURCE, LENGTHS = torch.randint(4, 20, (2, 30), generator=torch.Generator().manual_seed(1)), torch.tensor([30, 24])
TARGET = torch.randint(4, 20, (2, 40), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def model() -> Transformer:
    spec = Seq2SeqSpec(vocabulary=20, context=64, width=32, heads=4, layers=2)
    found = build_seq2seq(spec)
    assert isinstance(found, Transformer)
    return found.eval()


def loss(model: nn.Module, batch: dict[str, Any]) -> Tensor:
    found: Tensor = model(batch["source"], batch["lengths"], batch["ids"], labels=batch["labels"]).loss
    return found


def test_what_looks_across_is_left_whole(model: Transformer) -> None:
    batch = {"source": SOURCE, "lengths": LENGTHS, "ids": TARGET[:, :-1], "labels": TARGET[:, 1:]}
    found = heedful.profile(model, [batch], loss=loss, length=40, options=["window(8,2)", "drop"])
    across = [site.name.endswith(".cross") for site in found.sites]
    assert [site.kind == "cross" for site in found.sites] == across
    assert sum(across) == 2
    assert [site.fixed for site in found.sites] == across
    plan = heedful.plan(found, heedful.Budget(operations=0.7))
    for site, names in zip(found.sites, plan.choices, strict=True):
        assert site.kind == "self" or set(names) == {"full"}
    assert any(name != "full" for names in plan.choices for name in names)
    with heedful.applied(model, plan):
        assert torch.isfinite(loss(model, batch))


def test_cached_steps_under_a_plan_agree_with_one_pass(model: Transformer) -> None:
    choices = tuple(("full",) * 4 if site.kind == "cross" else ("full", "window(8,2)") * 2 for site in sites(model))
    with torch.no_grad():
        dense = model(SOURCE, LENGTHS, TARGET).logits
        with changed(model, choices, 0):
            whole = model(SOURCE, LENGTHS, TARGET).logits
            writing, steps = model.begin(SOURCE, LENGTHS), []
            for i in range(TARGET.shape[1]):
                if i == 20:  # as a beam search does
                    writing.reorder(torch.tensor([0, 1]))
                steps.append(model.step(TARGET[:, i], writing))
    assert torch.allclose(torch.stack(steps, 1), whole, atol=1e-5)
    assert not torch.allclose(dense, whole, atol=1e-3)


def test_a_plan_that_cuts_across_is_refused(model: Transformer) -> None:
    choices = tuple(("drop",) + ("full",) * 3 if site.kind == "cross" else ("full",) * 4 for site in sites(model))
    with pytest.raises(Unsupported, match=r"reads another stream.* full for all its heads would work"), changed(model, choices, 0):
        pass
