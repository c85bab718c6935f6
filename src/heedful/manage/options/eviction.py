"""Eviction: after a pass the keys that rank lowest are thrown out of the cache (Zhang et al. 2023, H2O, arXiv 2306.14048)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.manage.options.full import whole
from heedful.manage.options.option import Option, number
from heedful.manage.seen import Seen


@dataclass(frozen=True)
class Eviction(Option):
    """The pass is whole; of its keys the `size` that rank highest stay, for each key/value head others."""

    size: int

    phases = frozenset({"decode"})

    def __post_init__(self) -> None:
        number(f"{self.word}(size)", "size", self.size, 1)

    @property
    def shared(self) -> bool:
        """One choice of keys for all query heads of a key/value head."""
        return True

    @property
    def pinned(self) -> int:
        """How many of the last keys stay whatever they rank."""
        return 0

    @property
    def evidence(self) -> str:
        """What the ranks depend on: options that say the same have the same ranks."""
        return self.word

    @abstractmethod
    def ranks(self, seen: Seen, length: int) -> Float[Tensor, "b g k"]:
        """How much each of the first `length` keys is worth."""

    def keep(self, seen: Seen, length: int) -> Int[Tensor, "b g n"] | None:
        """The keys that rank highest among those that a query at the end may see."""
        return None if self.size >= length else self.choose(seen, length, self.ranks(seen, length))

    def choose(self, seen: Seen, length: int, ranks: Float[Tensor, "b g k"]) -> Int[Tensor, "b g n"]:
        """As `keep`, by ranks that are known."""
        place = torch.arange(length, device=ranks.device)
        return best(seen, length, self.kept(length), ranks.masked_fill(place >= length - self.pinned, torch.inf))

    def kept(self, length: int) -> int:
        """The size."""
        return min(length, self.size)

    def attended(self, length: int, causal: bool = True) -> int:
        """All pairs: the pass is whole."""
        return whole(length, causal)


def best(seen: Seen, length: int, size: int, ranks: Float[Tensor, "b g k"]) -> Int[Tensor, "b g n"]:
    """The `size` highest ranks, by rising index; a key that the next query may not see comes last."""
    shut = torch.finfo(ranks.dtype).min
    ranked = ranks.masked_fill(~visible(seen, length), shut)
    return ranked.topk(size, dim=-1).indices.sort(dim=-1).values


def visible(seen: Seen, length: int) -> Bool[Tensor, "#b #g length"]:
    """Which of the first `length` keys the last query of the pass may see: padding and a layer's own window are not among them."""
    mask = seen.mask
    if mask is None:
        return torch.ones(1, 1, length, dtype=torch.bool, device=seen.k.device)
    q_len, k_len = seen.q.shape[2], seen.k.shape[2]
    row = length - 1 - (k_len - q_len)
    table = mask.over(*seen.q.shape[:2]).rows(row, row + 1, q_len, k_len, seen.k.device)[:, :, 0, :length]
    return table if table.shape[1] == 1 else rearrange(table, "b (g r) k -> b g r k", g=seen.k.shape[1]).any(2)


def edges(seen: Seen, length: int, sinks: int) -> Float[Tensor, "b g k"]:
    """Ranks by which the first `sinks` visible keys stay, and after them the later the better."""
    shown = visible(seen, length).expand(seen.k.shape[0], seen.k.shape[1], length)
    order = shown.cumsum(-1)
    place = torch.arange(length, device=seen.k.device, dtype=torch.float32).expand(shown.shape)
    return place.masked_fill(shown & (order <= sinks), torch.inf)
