"""What is remembered between steps: all keys (`KVCache`), a window (`WindowCache`), a context (`ContextCache`), a block (`BlockCache`)."""

from heedful.layers.cache.block import BlockCache
from heedful.layers.cache.cache import Cache, Past
from heedful.layers.cache.context import ContextCache
from heedful.layers.cache.full import KVCache
from heedful.layers.cache.window import WindowCache

__all__ = ["BlockCache", "Cache", "ContextCache", "KVCache", "Past", "WindowCache"]
