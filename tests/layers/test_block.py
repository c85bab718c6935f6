from __future__ import annotations

from typing import Any

import pytest
import torch

from heedful.errors import Unsupported, UsageError
from heedful.gates import LayerwiseAdaptiveAttention, SqueezeExcitation
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.table import GATES
from heedful.layers.mlp import SwiGLU
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Causal, Padding, Sinks, Window

GATE_NAMES = ["none", *(row.name for row in GATES)]


def block_of(mask: Any = "causal", position: str | None = "rope", **options: Any) -> TransformerBlock:
    """A block in float64 with no parameter left at its start."""
    block = TransformerBlock(MultiHeadAttention(16, 4, kv_heads=2, mask=mask, position=position), max_length=12, **options).double().eval()
    for parameter in block.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return block


def stepped(block: TransformerBlock, x: torch.Tensor, *context: torch.Tensor, window: tuple[int, int] | None = None) -> torch.Tensor:
    cache = block.new_cache() if window is None else block.new_cache(*window)
    with torch.no_grad():
        return torch.cat([block(x[:, a:b], *context, cache=cache) for a, b in ((0, 3), (3, 4), (4, 5), (5, 9))], dim=1)


def test_before_and_after_the_norms() -> None:
    x = torch.randn(2, 5, 16, dtype=torch.float64)
    for post in (False, True):
        block = block_of(feed="gelu", post_norm=post, norm="layer")
        a, f = block.attention_norm, block.feed_norm
        if post:
            y = a(x + block.attention(x))
            expected = f(y + block.feed(y))
        else:
            y = x + block.attention(a(x))
            expected = y + block.feed(f(y))
        torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gate", GATE_NAMES)
def test_steps_equal_the_full_pass(gate: str) -> None:
    block, x = block_of(feed="swiglu", gate=gate), torch.randn(2, 9, 16, dtype=torch.float64)
    torch.testing.assert_close(stepped(block, x), block(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("gate", GATE_NAMES)
def test_causal_with_every_gate(gate: str) -> None:
    block, x = block_of(gate=gate), torch.randn(1, 9, 16, dtype=torch.float64)
    changed = x.clone()
    changed[:, 5:] = torch.randn(1, 4, 16, dtype=torch.float64)
    torch.testing.assert_close(block(x)[:, :5], block(changed)[:, :5], rtol=0, atol=1e-13)


def test_steps_with_a_window_and_a_context() -> None:
    cross = MultiHeadAttention(16, 2, context_dim=6)
    block = block_of(Causal() & (Window(3) | Sinks(1)), cross=cross, gate="se")
    x, context = torch.randn(2, 9, 16, dtype=torch.float64), torch.randn(2, 7, 6, dtype=torch.float64)
    torch.testing.assert_close(stepped(block, x, context, window=(3, 1)), block(x, context), rtol=0, atol=1e-12)
    _, traces = block(x, context, trace=True)
    assert [tuple(t.weights.shape) for t in traces] == [(2, 4, 9, 9), (2, 2, 9, 7)]


def test_padding_changes_nothing_in_gate_and_attention() -> None:
    block, x = block_of(mask=None, position="t5", gate="se"), torch.randn(1, 5, 16, dtype=torch.float64)
    padded, real = torch.cat([x, 100 * torch.randn(1, 3, 16, dtype=torch.float64)], dim=1), torch.arange(8)[None] < 5
    out = block(padded, mask=Padding(torch.tensor([5])), real=real)
    torch.testing.assert_close(out[:, :5], block(x), rtol=0, atol=1e-12)


def test_adaptive_attention_scales_the_branch_and_leaves_tokens_out() -> None:
    gate = LayerwiseAdaptiveAttention(16, 12, threshold=0.5)
    block = block_of(gate=gate)
    x = torch.randn(2, 6, 16, dtype=torch.float64)
    share, opened = gate.gate(x), gate(x)
    y = opened + share * block.attention(block.attention_norm(opened))
    y = y + block.feed(block.feed_norm(y))
    kept = share >= 0.5
    assert kept.any()
    assert not kept.all()
    torch.testing.assert_close(block(x), torch.where(kept, y, x), rtol=0, atol=1e-12)
    block.train()
    torch.testing.assert_close(block(x), y, rtol=0, atol=1e-12)


def test_a_gate_starts_as_it_says() -> None:
    attention = MultiHeadAttention(16, 4, mask="causal")
    plain, gated = TransformerBlock(attention), TransformerBlock(attention, gate="positional_weighting")
    gated.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(1, 5, 16)
    torch.testing.assert_close(gated(x), plain(x), atol=1e-6, rtol=1e-6)


def test_a_learned_memory_needs_no_keys_in_steps() -> None:
    block = TransformerBlock(MultiHeadAttention(16, 4, memory=5), SwiGLU(16), gate="lpw", max_length=12).double()
    x = torch.randn(2, 9, 16, dtype=torch.float64)
    torch.testing.assert_close(stepped(block, x), block(x), rtol=0, atol=1e-12)


def test_past_is_read_and_not_gone_over_again() -> None:
    block, x = block_of(Causal(), gate=None), torch.randn(1, 9, 16, dtype=torch.float64)
    torch.testing.assert_close(block(x[:, 4:], past=x[:, :4]), block(x)[:, 4:], rtol=0, atol=1e-12)
    with pytest.raises(Unsupported, match="adaptive gate"):
        block_of(gate="laa")(x, past=x)


@pytest.mark.parametrize("gate", ["none", "lpw", "laa"])
def test_beams_and_going_back(gate: str) -> None:
    block, x = block_of(gate=gate), torch.randn(2, 6, 16, dtype=torch.float64)
    cache, index = block.new_cache(), torch.tensor([1, 0, 1])
    with torch.no_grad():
        block(x[:, :5], cache=cache)
        cache.reorder(index)
        cache.crop(2)
        again = block(x[index][:, 2:], cache=cache)
    torch.testing.assert_close(again, block(x[index])[:, 2:], rtol=0, atol=1e-12)
    assert cache.length == 6
    cache.reset()
    assert cache.length == 0


def test_sums_cannot_be_taken_apart() -> None:
    block = block_of(gate="se")
    cache = block.new_cache()
    block(torch.randn(1, 4, 16, dtype=torch.float64), cache=cache)
    cache.crop(4)
    with pytest.raises(UsageError, match="cannot be taken apart"):
        cache.crop(2)


def test_gates_that_would_see_the_future_are_refused() -> None:
    with pytest.raises(UsageError, match=r"SqueezeExcitation\(causal=True\) would work"):
        TransformerBlock(MultiHeadAttention(16, 4, mask="causal"), gate=SqueezeExcitation(16))
    with pytest.raises(UsageError, match="did you mean 'squeeze_excitation'"):
        TransformerBlock(MultiHeadAttention(16, 4), gate="squeeze_excitaton")
