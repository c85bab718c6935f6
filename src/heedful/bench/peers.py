"""The libraries a user would pick instead. One that is not installed, or cannot do the work, says so."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from heedful.bench.problem import Problem, Tensors

Made = Callable[[], Tensor] | str  # a run, or the reason why there is none


def missing(module: str, package: str) -> str | None:
    """The reason why a library cannot be asked, or None."""
    return None if importlib.util.find_spec(module) is not None else f"not installed (pip install {package})"


def flex(problem: Problem, t: Tensors, rule: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> tuple[Made, float]:
    """FlexAttention compiled for a rule (b, h, q, k) -> bool, and the seconds that making it took."""
    if not torch.cuda.is_available() and shutil.which("g++") is None:
        return "needs a C++ compiler: g++ is not here", 0.0
    if problem.backward and problem.device == "cpu":
        return "has no backward on a CPU", 0.0
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    began = time.perf_counter()
    blocks = create_block_mask(rule, None, None, problem.q or problem.n, problem.n, problem.device)
    compiled = torch.compile(flex_attention, dynamic=False)

    def run() -> Tensor:
        out = compiled(t.q, t.k, t.v, block_mask=blocks)
        assert isinstance(out, Tensor)
        return out

    try:
        with torch.no_grad():
            run()
    except Exception as problem_found:  # a compiler's failure is a finding about the peer
        return f"did not compile: {type(problem_found).__name__}", 0.0
    return run, time.perf_counter() - began


def local_attention(t: Tensors, window: int) -> Made:
    """lucidrains' local-attention: causal, a query's own key and `window` before it."""
    reason = missing("local_attention", "local-attention")
    if reason is not None:
        return reason
    from local_attention import LocalAttention

    layer: Any = LocalAttention(
        dim=t.q.shape[-1], window_size=window, causal=True, look_backward=1, look_forward=0, exact_windowsize=True, use_rotary_pos_emb=False
    )
    return lambda: layer(t.q, t.k, t.v)


def x_transformers(width: int, heads: int, dtype: torch.dtype) -> Callable[[Tensor], object] | str:
    """x-transformers' attention layer, on its fast path."""
    reason = missing("x_transformers", "x-transformers")
    if reason is not None:
        return reason
    from x_transformers.x_transformers import Attention

    layer: Any = Attention(dim=width, heads=heads, dim_head=width // heads, flash=True).to(dtype).eval()
    return lambda x: layer(x)


def keras(width: int, heads: int, weights: bool) -> Callable[[Tensor], object] | str:
    """Keras' MultiHeadAttention on its torch backend."""
    reason = missing("keras", "keras")
    if reason is not None:
        return reason
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from keras import backend, layers

    if backend.backend() != "torch":
        return f"runs on {backend.backend()} here: KERAS_BACKEND=torch would work"
    layer: Any = layers.MultiHeadAttention(heads, width // heads)
    return lambda x: layer(x, x, return_attention_scores=weights)


def longformer(width: int, heads: int, window: int) -> Callable[[Tensor], object] | str:
    """Longformer's self-attention of transformers: `window` keys on each side of a query."""
    reason = missing("transformers", "transformers")
    if reason is not None:
        return reason
    from transformers.models.longformer.configuration_longformer import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    config = LongformerConfig(
        attention_window=[2 * window], hidden_size=width, num_attention_heads=heads, attention_probs_dropout_prob=0.0, num_hidden_layers=1
    )
    build: Any = LongformerSelfAttention
    layer = build(config, layer_id=0).eval()

    def run(x: Tensor) -> object:
        seen = torch.zeros(x.shape[:2])
        return layer(x, attention_mask=seen, is_index_masked=seen < 0, is_index_global_attn=seen > 0, is_global_attn=False)

    return run
