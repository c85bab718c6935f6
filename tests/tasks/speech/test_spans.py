"""When words were said: the best of all ways for tokens to lie over frames."""

from __future__ import annotations

import itertools

import pytest
import torch

from heedful.data.tokens import train_tokenizer
from heedful.models.speech.prefix import greedy
from heedful.tasks.speech.monotonicity import centre, forward_share
from heedful.tasks.speech.spans import Span, spans, timed

BLANK = 3


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """What a way says."""
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


@pytest.mark.parametrize("text", [(0,), (0, 0), (1, 2), (2, 0, 2)])
def test_it_is_the_best_of_all_ways(text: tuple[int, ...]) -> None:
    logs = torch.randn(6, 4).log_softmax(-1)
    ways = [path for path in itertools.product(range(4), repeat=6) if collapsed(path) == text]
    best = max(ways, key=lambda path: sum(float(logs[t, token]) for t, token in enumerate(path)))
    groups, place = [], 0
    for token, run in itertools.groupby(best):
        length = len(list(run))
        groups += [(place, place + length)] * (token != BLANK)
        place += length
    found = spans(logs, text, BLANK)
    assert found is not None
    assert [(span.first, span.last) for span in found] == groups


def test_too_few_frames_are_none() -> None:
    assert spans(torch.zeros(2, 4).log_softmax(-1), (0, 0), BLANK) is None
    assert spans(torch.zeros(3, 4).log_softmax(-1), (0, 0), BLANK) is not None


def test_words_take_the_frames_of_their_tokens() -> None:
    tokens = train_tokenizer("char", [" ab"])
    ids = tokens.encode(" ab b").tolist()
    found = [Span(i, i + 1, 0.5) for i in range(len(ids))]
    assert [(word.text, word.span.first, word.span.last) for word in timed(tokens, ids, found)] == [("ab", 0, 3), ("b", 3, 5)]


def test_going_forward_is_counted() -> None:
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 1.0, 0.0]])
    assert centre(weights).tolist() == [0.0, 1.5, 1.0]
    assert forward_share(weights) == 0.5
    assert forward_share(weights[:1]) == 1.0


def test_nothing_was_said() -> None:
    assert greedy(torch.tensor([[0.0, 1.0]]).log_softmax(-1), 1) == []
