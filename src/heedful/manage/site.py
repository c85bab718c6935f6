"""A place in a model where attention is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["self", "cross"]


@dataclass(frozen=True, slots=True)
class Site:
    """One attention layer of a model, in the order of the layers.

    Arguments:
        index: 0, 1, 2 ... in the order of the model's modules.
        name: the path of the module, for example "layers.3.attention".
        heads: query heads; kv_heads: key/value heads, which divide them.
        d: the width of a head's queries and keys; v: that of its values.
        causal: whether no query ever sees a later key.
        kind: "self", or "cross" where keys and values come from another stream.
        window: how many keys a query sees anyway, its own counted, where the layer slides (Mistral); None for all.
        fixed: whether its heads cannot be taken apart, so that a plan leaves it whole.

    >>> Site(0, "layers.0.attention", heads=8, kv_heads=2, d=64, v=64, causal=True).group(5)
    1
    """

    index: int
    name: str
    heads: int
    kv_heads: int
    d: int
    v: int
    causal: bool
    kind: Kind = "self"
    window: int | None = None
    fixed: bool = False

    def group(self, head: int) -> int:
        """The key/value head that a query head reads."""
        return head // (self.heads // self.kv_heads)
