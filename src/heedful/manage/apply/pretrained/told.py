"""What AttentionMaskInterface is told, kept apart: the model's own rule, and which tokens are real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.window import Window
from heedful.manage.hosts.interface import told_mask
from heedful.manage.hosts.rules import Places, parts_of
from heedful.manage.hosts.told import ToldMask


@dataclass(frozen=True, slots=True)
class Own:
    """The rule of a causal model without its padding, counted from the first token.

    `real` (b, n) says which tokens up to the last query are no padding; None where all are. `late`: some of those that came
    with this call are. `slides`: the rule has a window; `distance`: it looks at distances alone, so that it is the same at
    every step and for every row.
    """

    rule: Mask
    real: Bool[Tensor, "b n"] | None
    late: bool
    slides: bool
    distance: bool
    prefixes: dict[int, Prefix] = field(default_factory=dict)

    def beginning(self, tokens: int) -> Prefix | None:
        """Each row's first real tokens, and the padding before them; None where rows begin with none. One rule for all layers."""
        if self.real is None or self.by_column:
            return None
        if tokens not in self.prefixes:
            self.prefixes[tokens] = Prefix(left_of(self.real) + tokens)
        return self.prefixes[tokens]

    @property
    def by_column(self) -> bool:
        """Whether padding has to be kept in its place: the model's own rule counts it."""
        if not self.distance:
            return True
        return self.slides and self.real is not None and bool((left_of(self.real) < (~self.real).sum(1)).any())

    @property
    def padded(self) -> Mask:
        """The rule with the padding shut."""
        return self.rule if self.real is None else self.rule & Dense(self.real[:, None, None])


def told_apart(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int | Tensor = 0,
    kv_offset: int = 0,
    mask_function: Callable[..., Any] | None = None,
    attention_mask: Bool[Tensor, "b n"] | None = None,
    **others: Any,
) -> Tensor:
    """The mask as `told_mask` tells it, and `own` beside it where it is known."""
    made = told_mask(batch_size, q_length, kv_length, q_offset, kv_offset, mask_function, attention_mask, **others)
    if isinstance(made, ToldMask):
        end = int(q_offset) + q_length
        places = Places(batch_size, q_length, end, int(q_offset), 0, made.device)
        made.own = own_of(mask_function, attention_mask, places)  # type: ignore[attr-defined]
    return made


def own_of(function: Callable[..., Any] | None, attention_mask: Bool[Tensor, "b n"] | None, places: Places) -> Own | None:
    """The rule, if it is a causal one that is known."""
    from transformers.masking_utils import causal_mask_function

    known: Any = function or causal_mask_function
    parts = parts_of(known, places)
    if parts is None or not any(isinstance(part, Causal) for part in parts):
        return None
    rule = reduce(and_, (Window(part.size) if isinstance(part, Window) else part for part in parts))
    real = None if attention_mask is None else real_of(attention_mask, places)
    late = real is not None and not bool(real[:, places.first_q :].all())
    slides, distance = (all(isinstance(part, kinds) for part in parts) for kinds in (Causal, Causal | Window))
    return Own(rule, real, late, not slides, distance)


def real_of(attention_mask: Bool[Tensor, "b n"], places: Places) -> Bool[Tensor, "b k"] | None:
    """Which tokens are no padding; None where all are."""
    missing = places.keys - attention_mask.shape[1]
    real = pad(attention_mask, (0, max(missing, 0)), value=True)[:, : places.keys].bool()
    return None if bool(real.all()) else real


def own(mask: Tensor | None) -> Own | None:
    """What a mask says apart, if it does."""
    found = mask.__dict__.get("own") if isinstance(mask, ToldMask) else None
    return found if isinstance(found, Own) else None


def left_of(real: Bool[Tensor, "b n"]) -> Tensor:
    """How many tokens of padding each row begins with.

    >>> import torch
    >>> left_of(torch.tensor([[False, True, True], [True, True, False]])).tolist()
    [1, 0]
    """
    return (real.long().cumsum(1) == 0).sum(1)
