"""A cache of transformers whose planned layers hold of each head what its option keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin

from heedful.errors import Unsupported
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.pretrained.layer import PlannedSite


@final
class PlannedLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer. `update` gives back the new keys alone, marked; the planned attention that gets them holds the rest here."""

    is_croppable = True

    def __init__(self, planned: PlannedSite, replaced: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.planned, self.replaced = planned, replaced
        self.is_sliding = bool(replaced.is_sliding)
        self.ragged: RaggedCache | None = None
        self.by_column = False  # whether padding is kept in its place
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing is made before it is known what stays."""
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """The new keys and values, and on them where they belong."""
        self.is_initialized = True
        self.length += key_states.shape[2]
        marked = key_states.view_as(key_states)
        marked.planned = self  # type: ignore[attr-defined]
        return marked, value_states

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """As many keys, and from which on, as the layer it stands for would hold: one mask serves all layers of a kind."""
        if not self.is_sliding:
            return self.length + query_length, 0
        window = int(self.replaced.sliding_window)
        held = window - 1 if self.length >= window else self.length
        return held + query_length, max(self.length - window + 1, 0)

    def get_seq_length(self) -> int:
        """How many tokens it has seen."""
        return self.length

    def get_max_length(self) -> int:
        """No end."""
        return -1

    @property
    def bytes(self) -> int:
        """What the keys and values that are held take."""
        return 0 if self.ragged is None else self.ragged.bytes

    def reset(self) -> None:
        """Forget everything."""
        self.length, self.ragged = 0, None

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Row i continues row beam_idx[i]."""
        if self.ragged is not None:
            self.ragged.reorder(beam_idx)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Every row that many times."""
        if self.ragged is not None:
            rows = torch.arange(len(self.ragged.stores[0].moved)) if self.ragged.stores else torch.arange(0)
            self.ragged.reorder(rows.repeat_interleave(repeats))

    def batch_select_indices(self, indices: Tensor) -> None:
        """Some rows."""
        if self.ragged is not None:
            self.ragged.reorder(indices.nonzero()[:, 0] if indices.dtype == torch.bool else indices)

    def crop(self, tokens_to_remove: int) -> None:
        """Forget so many of the latest tokens (a negative number, as transformers has it)."""
        self.length -= abs(tokens_to_remove)
        if self.ragged is not None:
            self.ragged.crop(self.length)

    def offload(self) -> None:
        """It stays where it is."""
        raise Unsupported("the cache of a plan is not moved between devices: another cache_implementation than 'offloaded' would work")


def planned_cache(model: nn.Module, places: Iterable[PlannedSite]) -> DynamicCache:
    """The cache that the model would make for itself, with a planned layer for each of `places`."""
    config: Any = model.config
    cache = DynamicCache(config=config.get_text_config(decoder=True))
    for planned in places:
        index = getattr(planned.module, "layer_idx", None)
        if not isinstance(index, int) or index >= len(cache.layers):
            raise Unsupported(f"{planned.site.name} does not say which layer of a cache is its own")
        cache.layers[index] = PlannedLayer(planned, cache.layers[index])
    return cache
