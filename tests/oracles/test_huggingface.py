"""Hugging Face's attention modules, random weights copied into our layer: Llama (grouped heads, RoPE), T5 (bias, no scale)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, T5Config
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding
from transformers.models.t5.modeling_t5 import T5Attention

from heedful.attention.masks.mask import Mask
from heedful.layers.cache import KVCache
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Causal, Padding, Prefix
from heedful.positions import RoPE, T5RelativeBias

LENGTHS = torch.tensor([9, 5])
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
SIDES: dict[str, Mask | None] = {"none": None, "right": Padding(LENGTHS), "left": Padding(LENGTHS, side="left")}


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask as Hugging Face's eager attention takes it."""
    return torch.zeros(allowed.shape, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)


def real_rows(side: str, length: int) -> Tensor:
    """Which queries are not padding, (b, q)."""
    padding = SIDES[side]
    return torch.ones(2, length, dtype=torch.bool) if padding is None else padding.dense(length, length)[:, 0, 0]


def load(ours: MultiHeadAttention, q: Tensor, k: Tensor, v: Tensor, o: Tensor) -> MultiHeadAttention:
    ours.load_torch_state({"in_proj_weight": torch.cat([q, k, v]), "out_proj.weight": o})
    return ours.to(q.dtype).eval()


def llama(dtype: torch.dtype, kv_heads: int) -> tuple[LlamaAttention, LlamaConfig, MultiHeadAttention]:
    config = LlamaConfig(
        hidden_size=32,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=6,
        intermediate_size=8,
        num_hidden_layers=1,
        vocab_size=8,
    )
    config._attn_implementation = "eager" if dtype == torch.float32 else "sdpa"  # eager takes its softmax in float32
    theirs = LlamaAttention(config, 0).to(dtype).eval()
    ours = MultiHeadAttention(32, 4, kv_heads=kv_heads, head_dim=6, bias=False, mask="causal", position=RoPE()).to(dtype)
    return theirs, config, load(ours, theirs.q_proj.weight, theirs.k_proj.weight, theirs.v_proj.weight, theirs.o_proj.weight)


def angles(config: LlamaConfig, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Llama's cosines and sines; its own are made in float32, so for float64 the same formula in that."""
    if x.dtype == torch.float32:
        cos, sin = LlamaRotaryEmbedding(config)(x, positions)
        return cos, sin
    frequencies = 10000.0 ** (-torch.arange(0, 6, 2, dtype=x.dtype) / 6)
    turned = (positions[..., None].to(x.dtype) * frequencies).repeat(1, 1, 2)
    return turned.cos(), turned.sin()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("side", SIDES)
def test_llama(dtype: torch.dtype, kv_heads: int, side: str) -> None:
    theirs, config, ours = llama(dtype, kv_heads)
    x = torch.randn(2, 9, 32, dtype=dtype, requires_grad=True)
    padding, real = SIDES[side], real_rows(side, 9)
    allowed = Causal().dense(9, 9) if padding is None else (Causal() & padding).dense(9, 9)
    # positions count the real tokens, as generate() has it; ours count all, and rotary scores know distances only
    positions = (real.cumsum(1) - 1).clamp(min=0)
    expected, weights = theirs(x, angles(config, x, positions), additive(allowed, dtype))
    out, trace = ours(x, mask=padding, trace=True)
    close = {"rtol": 0, "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(out[real], expected[real], **close)
    if weights is not None:
        torch.testing.assert_close(trace.weights.transpose(1, 2)[real], weights.transpose(1, 2)[real], **close)
    torch.testing.assert_close(ours(x, mask=padding)[real], expected[real], **close)
    of_theirs, of_ours = (torch.autograd.grad(y[real].square().sum(), x)[0] for y in (expected, out))
    torch.testing.assert_close(of_ours, of_theirs, rtol=0, atol=10 * TOLERANCE[dtype])


def test_llama_in_steps_with_left_padding() -> None:
    theirs, config, ours = llama(torch.float64, 2)
    x, real, cache = torch.randn(2, 9, 32, dtype=torch.float64), real_rows("left", 9), KVCache()
    allowed = (Causal() & Padding(LENGTHS, side="left")).dense(9, 9)
    expected, _ = theirs(x, angles(config, x, (real.cumsum(1) - 1).clamp(min=0)), additive(allowed, torch.float64))
    with torch.no_grad():
        left = ~Prefix(9 - LENGTHS)
        out = torch.cat([ours(x[:, a:b], mask=left, cache=cache) for a, b in ((0, 6), (6, 7), (7, 8), (8, 9))], dim=1)
    torch.testing.assert_close(out[real], expected[real], rtol=0, atol=1e-10)


def t5(dtype: torch.dtype, decoder: bool) -> tuple[T5Attention, MultiHeadAttention]:
    options: dict[str, Any] = {"d_model": 32, "d_kv": 6, "num_heads": 4, "d_ff": 8, "num_layers": 1, "vocab_size": 8, "dropout_rate": 0.0}
    config = T5Config(**options, relative_attention_num_buckets=8, relative_attention_max_distance=6, is_decoder=decoder)
    config._attn_implementation = "eager"
    theirs = T5Attention(config, has_relative_attention_bias=True, layer_idx=0, is_causal=decoder).to(dtype).eval()
    position = T5RelativeBias(4, buckets=8, max_distance=6, bidirectional=not decoder)
    position.weight.data = theirs.relative_attention_bias.weight.data
    mask = Causal() if decoder else None
    ours = MultiHeadAttention(32, 4, head_dim=6, bias=False, score="dot", mask=mask, position=position).to(dtype)
    return theirs, load(ours, theirs.q.weight, theirs.k.weight, theirs.v.weight, theirs.o.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("decoder", [True, False], ids=["decoder", "encoder"])
@pytest.mark.parametrize("side", SIDES)
def test_t5(dtype: torch.dtype, decoder: bool, side: str) -> None:
    theirs, ours = t5(dtype, decoder)
    x, real, padding = torch.randn(2, 9, 32, dtype=dtype), real_rows(side, 9), SIDES[side]
    allowed = (Causal() if decoder else ~Prefix(0)).dense(9, 9)
    allowed = allowed if padding is None else allowed & padding.dense(9, 9)
    expected, _, weights = theirs(x, additive(allowed, dtype))
    out, trace = ours(x, mask=padding, trace=True)
    close = {"rtol": 0, "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(out[real], expected[real], **close)
    torch.testing.assert_close(ours(x, mask=padding)[real], expected[real], **close)
    torch.testing.assert_close(trace.weights.transpose(1, 2)[real], weights.transpose(1, 2)[real], **close)


def test_t5_over_a_context() -> None:
    theirs, ours = t5(torch.float64, decoder=False)
    ours.position = None
    x, context = torch.randn(2, 3, 32, dtype=torch.float64), torch.randn(2, 9, 32, dtype=torch.float64)
    none, padding = torch.zeros(1, 4, 3, 9, dtype=torch.float64), Padding(LENGTHS)
    expected = theirs(x, additive(padding.dense(3, 9), torch.float64), key_value_states=context, position_bias=none)[0]
    torch.testing.assert_close(ours(x, context, mask=padding), expected, rtol=0, atol=1e-10)
