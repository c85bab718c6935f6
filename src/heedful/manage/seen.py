"""One call at a site: queries, keys and values as the scores take them, and everything else that `attend` needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Mask
from heedful.attention.resolve import Options
from heedful.attention.select import Select
from heedful.manage.site import Site

Heads = Sequence[int]
BY_HEAD = ("bias", "sink_logits", "temperature", "scale")


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is attended at one site: positions that rotate are in q (b, h, q, d) and k (b, g, k, d) already.

    `options` are keywords of `heedful.attend`; `position` is among them only where it adds a bias.

    >>> site = Site(0, "layer", heads=4, kv_heads=2, d=8, v=8, causal=False)
    >>> seen = Seen(site, torch.randn(1, 4, 5, 8), torch.randn(1, 2, 5, 8), torch.randn(1, 2, 5, 8), {})
    >>> seen.attend(heads=[0, 3]).shape
    torch.Size([1, 2, 5, 8])
    """

    site: Site
    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    options: Options

    @property
    def mask(self) -> Mask | None:
        """The rule that holds here whatever a plan says."""
        return as_mask(self.options.get("mask"))

    def attend(
        self,
        mask: Mask | None = None,
        heads: Heads | None = None,
        *,
        summaries: Sequence[str] = (),
        return_weights: bool | Select = False,
    ) -> Any:
        """What `heedful.attend` gives for some query heads (all unless given) under one more mask.

        Scores, masks and positions that hold something for each head are computed for all heads, and the heads taken
        from the result; summaries and weights are refused there by `attend`'s own reasons or given for all heads.
        """
        chosen = self if heads is None else self.only(heads)
        both = chosen.mask if mask is None else mask if chosen.mask is None else chosen.mask & mask
        options: Options = {**chosen.options, "mask": both}
        if return_weights is not False and summaries:
            return attend(chosen.q, chosen.k, chosen.v, return_weights=return_weights, summaries=summaries, **options)
        if return_weights is not False:
            return attend(chosen.q, chosen.k, chosen.v, return_weights=return_weights, **options)
        if summaries:
            return attend(chosen.q, chosen.k, chosen.v, summaries=summaries, **options)
        out = attend(chosen.q, chosen.k, chosen.v, **options)
        return out if heads is None or chosen is not self else out[:, list(heads)]

    def only(self, heads: Heads) -> Seen:
        """The same call with these query heads alone; itself where something in it is made for all heads together."""
        if list(heads) == list(range(self.q.shape[1])) or not self.separable:
            return self
        index = torch.as_tensor(list(heads), device=self.q.device)
        k, v = self.read_by(heads)
        options = {name: picked(value, index) if name in BY_HEAD else value for name, value in self.options.items()}
        return replace(self, q=self.q[:, index], k=k, v=v, options=cast(Options, options))

    @property
    def separable(self) -> bool:
        """Whether heads can be taken apart before they are computed."""
        score, mask, position = self.options.get("score"), self.mask, self.options.get("position")
        parametric = not isinstance(score, str) and score is not None and any(True for _ in score.parameters())
        return not parametric and position is None and (mask is None or mask.heads in (None, 1))

    def read_by(self, heads: Heads) -> tuple[Tensor, Tensor]:
        """The keys and values of these query heads: whole groups as they are, others one for each query head."""
        groups = [self.site.group(head) for head in heads]
        ratio = self.q.shape[1] // self.k.shape[1]
        shared = groups[::ratio]
        if [group for group in shared for _ in range(ratio)] != groups:
            shared = groups
        index = torch.as_tensor(shared, device=self.k.device)
        return self.k[:, index], self.v[:, index]


def picked(value: Any, index: Tensor) -> Any:
    """An option of some heads: a tensor with an axis of heads is cut, anything else stays."""
    if not isinstance(value, Tensor) or value.dim() == 0:
        return value
    axis = 0 if value.dim() == 1 else value.dim() - 3
    return value if axis < 0 or value.shape[axis] == 1 else value.index_select(axis, index)
