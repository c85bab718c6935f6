"""How a decoder looks: the monotonic chances against their recursion, and that it never goes back."""

from __future__ import annotations

import itertools

import pytest
import torch

from heedful.models.speech.looks.location import Location
from heedful.models.speech.looks.look import beginning
from heedful.models.speech.looks.monotonic import Monotonic, chances, first_stop
from heedful.models.speech.looks.plain import Plain


def naive(stops: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
    """Raffel et al. 2017, equation 8: q_j = (1 - p_j-1) q_j-1 + past_j; a_j = p_j q_j."""
    came, found = torch.zeros(len(stops), dtype=stops.dtype), []
    for j in range(stops.shape[1]):
        came = (came * (1 - stops[:, j - 1]) if j else came) + past[:, j]
        found.append(stops[:, j] * came)
    return torch.stack(found, dim=1)


def test_the_chances_of_stopping_are_the_recursions() -> None:
    stops = torch.rand(3, 40, dtype=torch.float64).requires_grad_()
    past = torch.rand(3, 40, dtype=torch.float64).softmax(1)
    ours, theirs = chances(stops, past), naive(stops, past)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
    seed = torch.randn_like(ours)
    (one,), (other,) = torch.autograd.grad(ours, stops, seed, retain_graph=True), torch.autograd.grad(theirs, stops, seed)
    torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_in_use_it_stops_at_the_first_frame_from_where_it_stood() -> None:
    stops = torch.tensor([[1.0, 0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    past = torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])
    found = first_stop(stops, past)
    assert found.tolist() == [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0] * 5]
    assert first_stop(stops.flip(0), found.flip(0)).tolist()[0] == [0.0] * 5  # what ran past the end stays there


def test_monotonic_never_goes_back() -> None:
    look, memory = Monotonic(4, 6, 8).eval(), 3 * torch.randn(5, 30, 6)
    look.offset.data.fill_(0.0)
    past, place = beginning(memory), torch.zeros(5)
    for _ in range(6):
        past = look(torch.randn(5, 4), memory, past)[1]
        now = past.argmax(1).float()
        moved = past.amax(1) > 0
        assert bool((now >= place)[moved].all())
        place = torch.where(moved, now, place)


def test_location_may_be_kept_from_looking_back() -> None:
    look, memory = Location(4, 6, 8, filters=3, reach=5, onward=2), 3 * torch.randn(5, 20, 6)
    real = torch.arange(20) < torch.tensor([[20], [20], [13], [5], [1]])
    past = beginning(memory)
    steps = [past := look(torch.randn(5, 4), memory, past, real)[1] for _ in range(11)]
    for before, after in itertools.pairwise(steps):
        peak = before.argmax(1)
        for row in range(5):
            if before[row].max() > 0 and peak[row] > 0:
                assert not after[row, : peak[row] + 2].any()
            if before[row].max() == 0:
                assert not after[row].any(), "what ran past the end stays there"
    assert steps[-1][3].max() == 0
    torch.testing.assert_close(steps[0].sum(1), torch.ones(5))


def test_a_look_that_does_not_go_back_learns() -> None:
    look, memory = Location(4, 6, 8, filters=3, reach=5, onward=1), torch.randn(2, 6, 6, requires_grad=True)
    past = beginning(memory)
    for _ in range(8):  # more steps than frames
        context, past = look(torch.randn(2, 4), memory, past)
    assert not context.any()
    first = look(torch.randn(2, 4), memory, beginning(memory))[0]
    (gradient,) = torch.autograd.grad(first.square().sum() + context.sum(), memory)
    assert bool(gradient.isfinite().all())
    assert gradient.any()


@pytest.mark.parametrize("kind", [Plain, Location, Monotonic])
@pytest.mark.parametrize("training", [True, False])
def test_padding_is_never_looked_at(kind: type, training: bool) -> None:
    look = (Location(4, 6, 8, 3, 5) if kind is Location else kind(4, 6, 8)).train(training)
    memory, real = torch.randn(2, 9, 6), torch.arange(9) < torch.tensor([[9], [4]])
    state, past = torch.randn(2, 4), torch.zeros(2, 9)
    past[:, 0] = 1.0
    torch.manual_seed(3)
    context, weights = look(state, memory, past, real)
    assert not bool(weights[1, 4:].any())
    torch.testing.assert_close(context, (weights[:, None] @ memory)[:, 0])
    if not training:
        alone = look(state[1:], memory[1:, :4], past[1:, :4])[1]
        torch.testing.assert_close(weights[1:, :4], alone)


def test_location_knows_where_it_looked() -> None:
    look, memory, state = Location(4, 6, 8, 3, 3), torch.randn(1, 9, 6), torch.randn(1, 4)
    one, other = (look(state, memory, torch.eye(9)[i : i + 1])[1] for i in (1, 6))
    assert not torch.allclose(one, other)
