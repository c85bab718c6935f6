"""From what a caller wrote to a `Call`: names looked up, defaults filled, sizes checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.call import Call
from heedful.attention.check import check_call, check_tensors
from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Mask
from heedful.attention.mechanism import by_name
from heedful.attention.positions.position import Position
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.score import Score
from heedful.attention.scores.table import SCORES
from heedful.attention.select import Select
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.attention.weightings.weighting import Weighting
from heedful.errors import UsageError


class Options(TypedDict, total=False):
    """The options of `attend` by name, for functions that take them all; meanings and defaults stand there."""

    score: str | Score
    mask: Mask | Bool[Tensor, "..."] | None
    bias: Float[Tensor, "..."] | None
    position: str | Position | None
    weighting: str | Weighting
    scale: float | Tensor | None
    softcap: float | None
    sink_logits: Float[Tensor, " h"] | None
    temperature: float | Tensor | None
    dropout: float
    seed: int | None
    backend: str


PLAIN_SCORES = {row.name: by_name("score", SCORES, row.name) for row in SCORES if row.plain}
PLAIN_POSITIONS = {row.name: by_name("position", POSITIONS, row.name) for row in POSITIONS if row.plain}
PLAIN_WEIGHTINGS = {row.name: by_name("weighting", WEIGHTINGS, row.name) for row in WEIGHTINGS if row.plain}


def as_score(score: str | Score) -> Score:
    """The score by name or as it is."""
    if isinstance(score, Score):
        return score
    return PLAIN_SCORES.get(score) or by_name("score", SCORES, score)


def as_position(position: str | Position | None) -> Position | None:
    """The position scheme by name or as it is."""
    if position is None or isinstance(position, Position):
        return position
    return PLAIN_POSITIONS.get(position) or by_name("position", POSITIONS, position)


def as_weighting(weighting: str | Weighting) -> Weighting:
    """The weighting by name or as it is."""
    if isinstance(weighting, Weighting):
        return weighting
    return PLAIN_WEIGHTINGS.get(weighting) or by_name("weighting", WEIGHTINGS, weighting)


def as_select(return_weights: bool | Select) -> Select | None:
    """Which weights are wanted: none, all, or a selection."""
    if isinstance(return_weights, Select):
        return return_weights
    return Select() if return_weights else None


def resolve(
    q: Tensor, k: Tensor, v: Tensor, options: Options, return_weights: bool | Select = False, summaries: Sequence[str] = ()
) -> Call:
    """The call that these options mean; raises as `attend` does."""
    check_tensors(q, k, v)
    if isinstance(summaries, str):
        raise UsageError(f"summaries takes a sequence of names: found {summaries!r}; ({summaries!r},) would work")
    score, scale = as_score(options.get("score", "scaled_dot")), options.get("scale")
    mask = as_mask(options.get("mask"))
    call = Call(
        q=q,
        k=k,
        v=v,
        score=score,
        mask=None if mask is None else mask.over(q.shape[0], q.shape[1]),
        bias=options.get("bias"),
        position=as_position(options.get("position")),
        weighting=as_weighting(options.get("weighting", "softmax")),
        scale=score.default_scale(k.shape[-1]) if scale is None else scale,
        softcap=options.get("softcap"),
        sink_logits=options.get("sink_logits"),
        temperature=options.get("temperature"),
        dropout=options.get("dropout", 0.0),
        seed=options.get("seed"),
        weights=as_select(return_weights),
        summaries=tuple(summaries),
    )
    check_call(call)
    return call
