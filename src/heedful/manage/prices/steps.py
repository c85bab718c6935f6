"""The work of one step that is timed: a token stored and attended to behind caches that are full, as a planned layer does it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.cost.measure import Run
from heedful.layers.multihead import MultiHeadAttention
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.store import Store
from heedful.manage.hosts.ours import site
from heedful.manage.options.option import Option
from heedful.manage.options.table import FULL
from heedful.manage.prices.price import Kind
from heedful.manage.prices.stopwatch import Stopwatch
from heedful.manage.prices.work import NARROW, Setting, Work

MOST_BYTES = 1 << 28  # of the caches that take turns
MOST_GROUPS = 16  # in a run


def together(kind: Kind, setting: Setting) -> bool:
    """Whether one call takes a whole layer's step, however many groups it has."""
    return Steps(kind, setting, Stopwatch(setting.device)).planned(FULL, kind.heads) is not None


@dataclass(slots=True, eq=False)
class Steps:
    """Groups of heads of one kind of site in a step; as many caches take turns as the model has layers of the kind."""

    kind: Kind
    setting: Setting
    watch: Stopwatch

    def work(self, option: Option, heads: int) -> Work:
        """So many query heads that have an option, in all groups of all layers, or the most of them that a run takes."""
        groups = min(MOST_GROUPS, self.layers(option) * max(1, self.kind.heads // heads))
        planned = self.planned(option, heads)
        shared = max(1, heads // self.kind.ratio)
        if planned is None:
            return Work(self.plain(option, heads, shared, groups), groups)
        return Work(self.quick(planned, heads, shared, groups), groups)

    def layers(self, option: Option) -> int:
        """How many layers take turns, as far as memory is to be had."""
        s, kind = self.setting, self.kind
        each = s.batch * kind.kv_heads * option.kept(s.length) * (kind.d + kind.v) * s.dtype.itemsize
        return max(1, min(s.layers, MOST_BYTES // max(each, 1)))

    def planned(self, option: Option, heads: int) -> PlannedAttention | None:
        """A layer of that many heads whose steps one call of the library takes; None where it does not."""
        kind, s = self.kind, self.setting
        shared = heads // kind.ratio
        if kind.d != kind.v or not kind.causal or shared < 1:
            return None
        layer = MultiHeadAttention(NARROW, heads, kv_heads=shared, head_dim=kind.d, mask="causal", position="rope").to(s.device, s.dtype)
        planned = PlannedAttention(layer, site(0, "layer", layer), [option.name] * heads).eval()
        cache = filled(planned, self.random(1, shared), self.random(1, shared))
        return planned if planned.quick.why_not(self.random(1, heads), cache) is None else None

    def quick(self, planned: PlannedAttention, heads: int, shared: int, groups: int) -> Run:
        """Through the planned layer."""
        length = self.setting.length
        k, v = self.random(length, shared), self.random(length, shared)
        caches = [filled(planned, k, v) for _ in range(groups)]
        q, k_new, v_new = self.random(1, heads), self.random(1, shared), self.random(1, shared)

        def run() -> None:
            for cache in caches:
                self.watch.cool()
                planned.quick.stepped(q, k_new, v_new, cache)

        return run

    def plain(self, option: Option, heads: int, shared: int, groups: int) -> Run:
        """Through `attend`."""
        kept = option.kept(self.setting.length)
        caches = [(self.random(kept, shared), self.random(kept, shared, self.kind.v)) for _ in range(groups)]
        q, k_new, v_new = self.random(1, heads), self.random(1, shared), self.random(1, shared, self.kind.v)

        def run() -> None:
            for k, v in caches:
                self.watch.cool()
                k[:, :, kept - 1 :] = k_new
                v[:, :, kept - 1 :] = v_new
                attend(q, k, v)

        return run

    def random(self, length: int, heads: int, width: int | None = None) -> Float[Tensor, "b n t d"]:
        """Heads of some length."""
        s = self.setting
        return torch.randn(s.batch, heads, length, width or self.kind.d, dtype=s.dtype, device=s.device)


def filled(planned: PlannedAttention, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t d"]) -> RaggedCache:
    """A cache after a pass over these keys and values."""
    cache = planned.new_cache()
    for store in cache.stores:
        settle(store, k, v)
    cache.length, cache.held = k.shape[2], None
    return cache


def settle(store: Store, k: Tensor, v: Tensor) -> None:
    """Keep as many as the option does; which ones makes no difference to the time."""
    option, length = store.keeping.after, k.shape[2]
    if option is None:
        store.fill(k, v)
        return
    count = option.kept(length)
    kept = torch.arange(length - count, length, device=k.device).expand(*k.shape[:2], count)
    store.settle(k, v, None if option.ring or count == length else kept)
