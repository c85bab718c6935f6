"""Tokens that leave early: a step gives what the same place of a full pass gives, whoever left before; thresholds keep their bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from heedful.errors import Unsupported, UsageError
from heedful.models.decoder import Decoder
from heedful.models.early_exit import confidence, full
from heedful.models.encoder import Encoder
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec
from heedful.spec.classifier import EncoderSpec
from heedful.spec.exits import ExitSpec
from heedful.spec.plain import build, plain
from heedful.train.adapt.exits import Measured, at, calibrated, learning, measured, with_exits

SPEC = DecoderSpec(vocabulary=9, context=32, width=16, layers=4, heads=4, kv_heads=2)


def model(threshold: float, **options: Any) -> Decoder:
    made = Decoder(replace(SPEC, exits=ExitSpec((1, 3), threshold), **options)).eval()
    for weight in made.parameters():
        weight.data.add_(0.25 * torch.randn_like(weight))
    return made


def confidences(made: Decoder, ids: Tensor) -> Tensor:
    assert made.exits is not None
    return torch.stack([confidence(each) for each in full(made.exits, made.layers, made.embedded(ids, 0), made.said)])


@pytest.mark.parametrize("gate", [None, "se"])
@pytest.mark.parametrize("position", ["rope", "alibi", "sinusoidal"])
@torch.no_grad()
def test_a_step_is_a_place_of_the_full_pass_whoever_left(gate: str | None, position: str) -> None:
    attention = AttentionSpec(position=MechanismSpec(position))
    made = model(0.5, attention=attention, gate=None if gate is None else MechanismSpec(gate))
    ids = torch.randint(9, (1, 24))
    assert made.exits is not None
    sure = confidences(made, ids)[:2, 0]
    made.exits.threshold = float(sure[0, 6:].sort().values[8:10].mean())  # between two tokens, so that rounding moves none
    left = (sure >= made.exits.threshold)[:, 6:]
    assert 0 < int(left[0].sum()) < 18
    whole = made(ids).logits
    cache = made.new_cache()
    steps = [made(ids[:, :6], cache=cache).logits]
    for place in range(6, 24):
        steps.append(made(ids[:, place : place + 1], cache=cache).logits)
        assert cache.length == place + 1
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_who_leaves_leaves_the_later_layers_uncomputed_until_they_are_needed() -> None:
    made, ids = model(1e-6), torch.randint(9, (1, 8))
    cache = made.new_cache()
    for place in range(8):
        made(ids[:, place : place + 1], cache=cache)
    assert [block.length for block in cache.blocks] == [8, 0, 0, 0]
    assert made.exits is not None
    made.exits.threshold = 1.0
    made(ids[:, :1], cache=cache)
    assert [block.length for block in cache.blocks] == [9, 9, 9, 9]
    cache.reset()
    assert cache.waiting == [None, None, None]


@torch.no_grad()
def test_rows_leave_together_and_can_be_reordered() -> None:
    made, ids = model(0.4), torch.randint(9, (3, 10))
    whole = made(ids[[2, 0, 0]]).logits
    cache = made.new_cache()
    for place in range(9):
        made(ids[:, place : place + 1], cache=cache)
    cache.reorder(torch.tensor([2, 0, 0]))
    assert made.exits is not None
    made.exits.threshold = 1.0
    last = made(ids[[2, 0, 0], 9:], cache=cache).logits
    end = full(made.exits, made.layers, made.embedded(ids[[2, 0, 0]], 0), made.said)[-1]
    torch.testing.assert_close(last, end[:, 9:], atol=1e-5, rtol=1e-4)
    assert whole.shape == end.shape


def test_exits_at_their_start_are_the_model_and_only_they_learn() -> None:
    plain_model = Decoder(SPEC).eval()
    made = with_exits(plain_model, (2,))
    ids = torch.randint(9, (2, 8))
    torch.testing.assert_close(made(ids).logits, plain_model(ids).logits)
    assert sum(each.numel() for each in learning(made)) == 16 * 16 + 16
    assert build(DecoderSpec, plain(made.spec)) == made.spec
    with pytest.raises(Unsupported, match="exits already"):
        with_exits(made, (1,))
    for after in ((4,), (0,), (2, 1), ()):
        with pytest.raises(UsageError):
            with_exits(plain_model, after)


def test_the_threshold_is_the_lowest_before_the_bound_is_passed() -> None:
    chance = np.random.default_rng(0)
    rows = []
    for _ in range(40):
        sure = chance.random((2, 50))
        nats = np.stack([1.0 + (sure[0] < 0.6) * 0.5, np.ones(50)])  # who is not sure by .6 loses half a nat
        rows.append(Measured(nats, sure))
    best = calibrated(rows, 0.02, (1, 4))
    assert best is not None
    assert best.threshold == pytest.approx(0.56, abs=0.021)
    assert best.bound.upper <= 0.02
    assert at(rows, best.threshold - 0.02, (1, 4)).bound.upper > 0.02
    assert best.layers == pytest.approx(4 - 3 * (1 - best.threshold), abs=0.1)
    assert calibrated([Measured(np.stack([np.full(9, 3.0), np.ones(9)]), np.ones((2, 9)))] * 5, 0.01, (1, 4)) is None


def test_what_is_measured_is_what_the_model_says() -> None:
    made = model(0.3)
    ids = torch.randint(9, (2, 12))
    rows = measured(made, [{"input_ids": ids}])
    with torch.no_grad():
        said = made(ids).logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    for row, each in enumerate(rows):
        np.testing.assert_allclose(each.lost(0.3) + each.nats[-1], -said[row].numpy(), atol=1e-5)


def test_texts_leave_one_by_one_and_the_others_are_read_as_if_alone() -> None:
    spec = EncoderSpec(vocabulary=9, labels=("a", "b", "c"), context=12, width=16, layers=3, heads=4, exits=ExitSpec((1, 2), 0.5))
    made = Encoder(spec).eval()
    for weight in made.parameters():
        weight.data.add_(0.4 * torch.randn_like(weight))
    ids, lengths = torch.randint(1, 9, (12, 12)), torch.randint(3, 13, (12,))
    with torch.no_grad():
        said = torch.stack(made.answers(ids, lengths))
        sure = confidence(said[:2])
        assert made.exits is not None
        made.exits.threshold = float(sure[0].sort().values[5:7].mean())
        first = torch.where(sure[0] >= made.exits.threshold, 0, torch.where(sure[1] >= made.exits.threshold, 1, 2))
        assert 0 in first.tolist()
        assert len(set(first.tolist())) > 1
        together = made(ids, lengths=lengths)
        torch.testing.assert_close(together.logits, said[first, torch.arange(12)], atol=1e-5, rtol=1e-4)
        for row in (0, 5, 11):
            alone = made(ids[row : row + 1, : int(lengths[row])])
            torch.testing.assert_close(alone.logits, together.logits[row : row + 1], atol=1e-5, rtol=1e-4)
    assert build(EncoderSpec, plain(spec)) == spec
    fresh = with_exits(Encoder(replace(spec, exits=None)).eval(), (1,))
    rows = measured(fresh, [{"ids": ids, "lengths": lengths, "labels": torch.randint(3, (12,))}])
    assert [row.nats.shape for row in rows] == [(2, 1)] * 12
