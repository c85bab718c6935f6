"""Beginnings counted frame by frame, against every way that frames can go."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from heedful.models.speech.prefix import advanced, empty, extended, frame_logs, greedy

FRAMES, TOKENS = 5, 4
BLANK = TOKENS - 1


def said(path: tuple[int, ...]) -> tuple[int, ...]:
    """What a way through the frames says: no repeats, no blanks."""
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


def every(logs: torch.Tensor) -> dict[tuple[int, ...], float]:
    """The chance of each text, by going all ways."""
    chances: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(TOKENS), repeat=len(logs)):
        chance = math.exp(sum(float(logs[t, token]) for t, token in enumerate(path)))
        chances[said(path)] = chances.get(said(path), 0.0) + chance
    return chances


@pytest.mark.parametrize("text", [(), (0,), (0, 0), (1, 2), (2, 2, 2), (0, 1, 0)])
def test_it_is_the_sum_over_all_ways(text: tuple[int, ...]) -> None:
    frames, lengths = torch.randn(2, FRAMES, TOKENS, dtype=torch.float64), torch.tensor([FRAMES, 3])
    logs = frame_logs(frames, lengths, BLANK)
    found = empty(logs, BLANK)
    for token in text:
        found = advanced(logs, found, torch.tensor([token, token]), BLANK)
    onward = extended(logs, found, BLANK).exp()
    for row, length in enumerate(lengths.tolist()):
        chances = every(frames[row, :length].log_softmax(-1))
        begins = [sum(p for other, p in chances.items() if other[: len(text) + 1] == (*text, token)) for token in range(TOKENS - 1)]
        wanted = torch.tensor([*begins, chances.get(text, 0.0)], dtype=torch.float64)
        # sums of at most 4^5 products of five
        torch.testing.assert_close(onward[row], wanted, rtol=0, atol=4**5 * 5 * torch.finfo(torch.float64).eps)
        assert float(found.score[row].exp()) == pytest.approx(float(wanted.sum()), abs=1e-12)


def test_a_long_recording_stays_finite() -> None:
    frames = 8 * torch.randn(1, 1500, 12)
    logs = frame_logs(frames, torch.tensor([1500]), 11)
    found = empty(logs, 11)
    for token in (3, 3, 7):
        found = advanced(logs, found, torch.tensor([token]), 11)
    assert bool(torch.isfinite(extended(logs, found, 11)).all())
    whole = torch.logsumexp(extended(logs, found, 11), 1)
    torch.testing.assert_close(whole, found.score, rtol=1e-9, atol=1e-6)  # going on and ending are all there is


def test_the_likeliest_tokens_come_with_their_best_frames() -> None:
    chances = torch.tensor([[0.6, 0.1, 0.3], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.7, 0.2, 0.1], [0.1, 0.9, 0.0]])
    assert greedy(chances.clamp(min=1e-9).log(), 2) == [(0, 1), (0, 3), (1, 4)]
