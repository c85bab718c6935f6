"""What can be cut out of a layer: query heads with the keys they share, and channels inside the feed-forward part."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from heedful.errors import Unsupported
from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import GELU, SwiGLU
from heedful.models.decoder import Decoder
from heedful.models.encoder import Encoder


@dataclass(frozen=True)
class Layer:
    """One layer by the linear maps that write to the stream: `out` joins the heads, `down` the channels (their paths in the model).

    `heads` query heads, `d` wide, read `kv_heads` key/value heads; `channels` stand inside the feed-forward part.
    """

    out: str
    down: str
    heads: int
    kv_heads: int
    d: int
    channels: int

    @property
    def shared(self) -> int:
        """Query heads a key/value head."""
        return self.heads // self.kv_heads


def layers_of(model: nn.Module) -> tuple[Layer, ...]:
    """The layers of a transformer of ours, first to last.

    >>> from heedful.spec import DecoderSpec
    >>> layers_of(Decoder(DecoderSpec(vocabulary=11, width=16, heads=4, layers=1)))
    (Layer(out='layers.0.attention.out_proj', down='layers.0.feed.down', heads=4, kv_heads=4, d=4, channels=48),)

    Raises `Unsupported` for other models, and for blocks with another feed-forward part.
    """
    if not isinstance(model, Decoder | Encoder):
        raise Unsupported(
            f"{type(model).__name__} cannot be compressed: a transformer of ours, or a Hugging Face model of a known layout, can"
        )
    found = []
    for number, block in enumerate(model.layers):
        if not isinstance(block, TransformerBlock) or not isinstance(block.feed, GELU | SwiGLU):
            raise Unsupported(f"layer {number + 1} is no plain transformer block: its channels cannot be told apart")
        w, place = block.attention.widths, f"layers.{number}"
        found.append(
            Layer(f"{place}.attention.out_proj", f"{place}.feed.down", w.heads, w.kv_heads, w.head_dim, block.feed.down.in_features)
        )
    return tuple(found)
