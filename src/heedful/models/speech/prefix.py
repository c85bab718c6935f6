"""How likely a text is to begin what was said, counted frame by frame (Watanabe et al. 2017, IEEE JSTSP 11(8), algorithm 2).

The recursions over frames are sums of products, and so cumulative sums in logarithms: a step takes a few operations, not one a frame.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

NEVER: Final = -1e30  # finite, so that no difference of two of them is NaN


class Prefix(NamedTuple):
    """Of each beginning of a text the log-chances that it is all that frames 1..t say, the last of them a token (`spoken`) or none
    (`silent`); its last token (-1: it is empty), and the log-chance that what is said begins with it.
    """

    spoken: Float[Tensor, "b t"]
    silent: Float[Tensor, "b t"]
    last: Int[Tensor, " b"]
    score: Float[Tensor, " b"]

    def at(self, index: Int[Tensor, " n"]) -> Prefix:
        """Row i becomes row index[i]."""
        return Prefix(*(part.index_select(0, index) for part in self))


def frame_logs(frames: Float[Tensor, "b t v"], lengths: Int[Tensor, " b"], blank: int) -> Float[Tensor, "b t v"]:
    """Log-chances of each frame's token in float64; what is behind a recording's end says nothing, surely."""
    logs = frames.double().log_softmax(-1)
    over = torch.arange(logs.shape[1], device=logs.device) >= lengths[:, None]
    nothing = torch.full_like(logs[:1, :1], NEVER)
    nothing[..., blank] = 0.0
    return torch.where(over[..., None], nothing, logs)


def empty(logs: Float[Tensor, "b t v"], blank: int) -> Prefix:
    """Nothing is said yet."""
    silent = logs[..., blank].cumsum(1)
    last = torch.full(logs.shape[:1], -1, dtype=torch.long, device=logs.device)
    return Prefix(torch.full_like(silent, NEVER), silent, last, silent.new_zeros(len(logs)))


def extended(logs: Float[Tensor, "b t v"], prefix: Prefix, blank: int) -> Float[Tensor, "b v"]:
    """The log-chance that each text goes on with each token; at `blank`, that it ends."""
    ways = starts(prefix, logs.shape[2])
    found = torch.logsumexp(ways + logs, dim=1)
    ends = torch.logaddexp(prefix.spoken[:, -1], prefix.silent[:, -1])
    return torch.cat([found[:, :blank], ends[:, None], found[:, blank + 1 :]], dim=1)


def starts(prefix: Prefix, tokens: int) -> Float[Tensor, "b t v"]:
    """The log-chance that the frames before each say just the text so far, so that a new token may begin there."""
    quiet = before(prefix.silent, prefix.last)
    either = torch.logaddexp(before(prefix.spoken, None), quiet)
    same = torch.arange(tokens, device=quiet.device) == prefix.last[:, None]
    return torch.where(same[:, None], quiet[..., None], either[..., None])


def before(row: Float[Tensor, "b t"], last: Int[Tensor, " b"] | None) -> Float[Tensor, "b t"]:
    """Of each frame what held of the one before; before the first, only the empty text is said (where `last` tells which is)."""
    first = torch.full_like(row[:, :1], NEVER)
    if last is not None:
        first = torch.where(last[:, None] < 0, 0.0, first)
    return torch.cat([first, row[:, :-1]], dim=1)


def advanced(logs: Float[Tensor, "b t v"], prefix: Prefix, token: Int[Tensor, " b"], blank: int) -> Prefix:
    """The texts, one token longer."""
    rows = torch.arange(len(logs), device=logs.device)
    own = logs[rows, :, token]
    begun = starts(prefix, logs.shape[2])[rows, :, token]
    spoken = carried(begun + own, own)
    silent = carried(before(spoken, None) + logs[..., blank], logs[..., blank])
    return Prefix(spoken, silent, token, torch.logsumexp(begun + own, dim=1))


def carried(begun: Float[Tensor, "b t"], stays: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
    """r_t = log(exp begun_t + exp(r_t-1 + stays_t)): all that began and stayed until t."""
    total = stays.clamp(min=-1e4).cumsum(1)  # never so low that what began is lost beside it
    return total + torch.logcumsumexp(begun - total, dim=1)


def greedy(logs: Float[Tensor, "t v"], blank: int) -> list[tuple[int, int]]:
    """The likeliest token of each frame, repeats and blanks left out: tokens and their likeliest frames.

    >>> greedy(torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]).log(), blank=1)
    [(0, 0)]
    """
    best, token = logs.max(dim=1)
    found: list[tuple[int, int]] = []
    before_ = blank
    for t, each in enumerate(token.tolist()):
        if each != blank and each != before_:
            found.append((each, t))
        elif each != blank and best[t] > best[found[-1][1]]:
            found[-1] = (each, t)
        before_ = each
    return found
