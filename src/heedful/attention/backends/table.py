"""The dispatch table: every backend, in the order in which `auto` prefers them."""

from __future__ import annotations

from heedful.attention.backends import naive, sdpa
from heedful.attention.backends.backend import Backend

BACKENDS: tuple[Backend, ...] = (
    Backend("sdpa", sdpa.why_not, sdpa.run, "torch's fused scaled_dot_product_attention"),
    Backend("naive", naive.why_not, naive.run, "every formula as written, whole matrix"),
)
