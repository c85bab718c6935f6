"""A text read into a cache and continued token by token, with our models and those of Hugging Face; and what the cache holds."""

from __future__ import annotations

import gc
from types import FunctionType, ModuleType
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.cache.full import KVCache
from heedful.manage.apply.cache import RaggedCache
from heedful.models.language_model import LanguageModel

SKIPPED = (type, ModuleType, FunctionType, nn.Module, torch.dtype, torch.device)


class Reader:
    """One text being read.

    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> reader = Reader(build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=4)).eval())
    >>> with torch.no_grad():
    ...     before, after = reader.read(torch.tensor([[1, 2, 3]])).shape, reader.read(torch.tensor([[4]])).shape
    >>> before, after, reader.length
    (torch.Size([1, 3, 11]), torch.Size([1, 1, 11]), 4)
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.cache: Any = model.new_cache() if isinstance(model, LanguageModel) else None
        self.length = 0

    def read(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """The next tokens' logits; the cache takes the tokens in."""
        self.length += ids.shape[1]
        if isinstance(self.model, LanguageModel):
            logits: Tensor = self.model(ids, cache=self.cache).logits
            return logits
        output = self.model(input_ids=ids, past_key_values=self.cache, use_cache=True)
        self.cache = output.past_key_values
        logits = output.logits
        return logits

    @property
    def bytes(self) -> int:
        """What the keys and values of the text take, in our caches without the room for tokens to come."""
        return held(self.cache)


def held(root: object) -> int:
    """The bytes of every tensor that an object reaches, each memory once, and what our caches hold; models are not entered.

    >>> one = torch.zeros(10)
    >>> held([one, one[:5], {"more": torch.zeros(3, dtype=torch.float64)}])
    64
    """
    met: set[int] = set()
    memories: dict[int, int] = {}
    todo: list[object] = [root]
    while todo:
        thing = todo.pop()
        if id(thing) in met or isinstance(thing, SKIPPED):
            continue
        met.add(id(thing))
        if isinstance(thing, RaggedCache | KVCache):
            memories[id(thing)] = thing.bytes
        elif isinstance(thing, Tensor):
            memory = thing.untyped_storage()
            memories[memory.data_ptr()] = memory.nbytes()
        else:
            todo += gc.get_referents(thing)
    return sum(memories.values())
