"""When each word was said: the likeliest way for the tokens of a text to lie over the frames (Viterbi over CTC's states)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.tokens import Tokenizer
from heedful.tasks.translate.units import Unit, units

NEVER = -1e30


class Span(NamedTuple):
    """The frames of a token, the last not among them, and the mean chance of it over them."""

    first: int
    last: int
    confidence: float

    def moved(self, by: int) -> Span:
        """So many frames on."""
        return self._replace(first=self.first + by, last=self.last + by)


class Word(NamedTuple):
    """A word, its frames, and how sure it is."""

    text: str
    span: Span


def spans(logs: Float[Tensor, "t v"], tokens: Sequence[int], blank: int) -> list[Span] | None:
    """The frames of each token on the likeliest way; None where there are too few frames for the tokens.

    >>> spans(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]).log(), [0, 0], blank=1)[1]
    Span(first=2, last=3, confidence=0.7)
    """
    states = [blank, *(state for token in tokens for state in (token, blank))]
    emitted = logs[:, states].double().cpu()
    may_skip = torch.tensor([i % 2 == 1 and i > 1 and states[i] != states[i - 2] for i in range(len(states))])
    score = torch.full((len(states),), NEVER, dtype=torch.float64)
    score[:2] = emitted[0, :2]
    came: list[Tensor] = []
    for frame in emitted[1:]:
        one = torch.cat([score.new_full((1,), NEVER), score[:-1]])
        two = torch.where(may_skip, torch.cat([score.new_full((2,), NEVER), score[:-2]])[: len(states)], NEVER)
        score, step = torch.stack([score, one, two]).max(dim=0)
        came.append(step)
        score = score + frame
    state = len(states) - 1 - int(len(states) > 1 and bool(score[-2] > score[-1]))
    if score[state] < NEVER / 2:
        return None
    way = [state]
    for step in reversed(came):
        way.append(way[-1] - int(step[way[-1]]))
    way.reverse()
    return [span_of(way, 2 * i + 1, logs[:, token].exp().double().cpu()) for i, token in enumerate(tokens)]


def span_of(way: Sequence[int], state: int, chances: Float[Tensor, " t"]) -> Span:
    """The frames in which the way stands in a state."""
    at = [t for t, each in enumerate(way) if each == state]
    return Span(at[0], at[-1] + 1, round(float(chances[at[0] : at[-1] + 1].mean()), 4))


def timed(tokenizer: Tokenizer, ids: Sequence[int], found: Sequence[Span]) -> list[Word]:
    """The words of tokens, each from its first token's first frame to its last one's last."""
    return [word_of(unit, found) for unit in units(tokenizer, ids)]


def word_of(unit: Unit, found: Sequence[Span]) -> Word:
    """One word."""
    mine = [found[place] for place in unit.places]
    sure = sum(each.confidence for each in mine) / len(mine)
    return Word(unit.text, Span(mine[0].first, mine[-1].last, round(sure, 4)))
