"""The dispatch table: every backend, in the order in which `auto` prefers them where their times cannot be told."""

from __future__ import annotations

from heedful.attention.backends import banded, decode, flex, naive, sdpa, tiled, varlen
from heedful.attention.backends.backend import Backend

BACKENDS: tuple[Backend, ...] = (
    Backend("decode", decode.why_not, decode.run, "few queries, over the keys that the mask leaves them"),
    Backend("varlen", varlen.why_not, varlen.run, "packed texts, each by itself"),
    Backend("sdpa", sdpa.why_not, sdpa.run, "torch's fused scaled_dot_product_attention"),
    Backend("banded", banded.why_not, banded.run, "by tiles, those that the mask leaves something of"),
    Backend("tiled", tiled.why_not, tiled.run, "by tiles, exact, in memory that grows with the length"),
    Backend("flex", flex.why_not, flex.run, "torch's FlexAttention, compiled on CUDA"),
    Backend("naive", naive.why_not, naive.run, "every formula as written, whole matrix"),
)
