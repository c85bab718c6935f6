"""Moving scenes: items go straight on and turn at the edges, their boxes are where they are painted."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("sklearn")

from heedful.data.images.moving import NONE, bounced, load_moving
from heedful.data.images.scenes import DARK, GROUND
from heedful.errors import DataError
from heedful.spec.moving import MovingDataSpec

SPEC = MovingDataSpec(size=24, items=1, frames=6, train=12, validation=3, test=3)


def test_a_box_is_around_what_is_painted() -> None:
    part = load_moving(SPEC, ("train",)).parts["train"]
    assert part.pixels.shape == (12, 6, 1, 24, 24)
    for scene in range(12):
        for frame in range(6):
            x, y, w, h = (24 * value for value in part.boxes[scene, frame, 0].tolist())
            lit = (part.pixels[scene, frame, 0] >= GROUND + 16).nonzero()  # lighter than any ground
            assert bool((lit[:, 1] + 1e-3 >= x - w / 2).all())
            assert bool((lit[:, 1] + 1 - 1e-3 <= x + w / 2).all())
            assert bool((lit[:, 0] + 1e-3 >= y - h / 2).all())
            assert bool((lit[:, 0] + 1 - 1e-3 <= y + h / 2).all())
            assert len(lit)
    assert DARK < GROUND


def test_items_keep_their_speed_but_at_the_edges() -> None:
    at = bounced(MovingDataSpec(size=40, items=2, frames=8, speed=2.0), 8, 50, torch.Generator().manual_seed(0)).double()
    steps = at.diff(dim=1).abs()
    assert float(steps.max()) <= 3  # two pixels at most, and half a pixel of rounding at either end
    inside = ((at > 3) & (at < 29)).all(1)  # never near an edge of 32 free pixels
    straight = at.diff(n=2, dim=1).abs().amax(1)[inside]
    assert len(straight) > 20
    assert float(straight.max()) <= 2  # a straight line, each of three places rounded by half a pixel, the middle one counted twice


def test_parts_are_the_same_each_time_and_hold_two_items_or_more() -> None:
    spec = MovingDataSpec(size=24, items=3, frames=2, train=20, validation=3, test=3)
    one, other = load_moving(spec), load_moving(spec, ("test",))
    assert torch.equal(one.parts["test"].pixels, other.parts["test"].pixels)
    counts = (one.parts["train"].labels != NONE).sum(1)
    assert set(counts.tolist()) == {2, 3}


def test_items_larger_than_a_frame_are_refused() -> None:
    with pytest.raises(DataError, match="do not move"):
        load_moving(MovingDataSpec(size=8))
