"""Rotary embedding against Hugging Face's modules, and what must hold of any rotation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig
from transformers.models.gptj.modeling_gptj import apply_rotary_pos_emb as turn_gptj
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from heedful.errors import ShapeError, UsageError
from heedful.positions import RoPE, turn

EVERY = [
    pytest.param(RoPE(), id="halves"),
    pytest.param(RoPE(interleaved=True), id="interleaved"),
    pytest.param(RoPE(d=8, base=500.0, fraction=0.5), id="partial"),
    pytest.param(RoPE(scaling=4.0), id="linear"),
    pytest.param(RoPE(scaling={"name": "yarn", "factor": 4.0, "original_length": 64}), id="yarn"),
]


def turned_by_hand(x: Tensor, positions: Tensor, base: float, width: int) -> Tensor:
    """The 2 x 2 rotations of the paper written out, pair (2i, 2i + 1)."""
    out = x.clone()
    for t, p in enumerate(positions.tolist()):
        for i in range(width // 2):
            angle = torch.tensor(p * base ** (-2 * i / width), dtype=x.dtype)
            a, b = x[..., t, 2 * i], x[..., t, 2 * i + 1]
            out[..., t, 2 * i] = a * angle.cos() - b * angle.sin()
            out[..., t, 2 * i + 1] = a * angle.sin() + b * angle.cos()
    return out


def test_interleaved_equals_the_paper_written_out() -> None:
    torch.manual_seed(0)
    x, positions = torch.randn(2, 3, 5, 6, dtype=torch.float64), torch.tensor([0, 3, 4, 100, -2])
    torch.testing.assert_close(RoPE(interleaved=True).rotate(x, positions), turned_by_hand(x, positions, 10000.0, 6))


def test_halves_are_the_interleaved_form_with_features_reordered() -> None:
    torch.manual_seed(1)
    x, positions = torch.randn(1, 2, 4, 8, dtype=torch.float64), torch.arange(4)
    order = torch.arange(8).reshape(2, 4).T.flatten()
    torch.testing.assert_close(RoPE().rotate(x, positions)[..., order], RoPE(interleaved=True).rotate(x[..., order], positions))


@pytest.mark.parametrize("base", [10000.0, 500000.0])
def test_equals_hugging_face_llama_to_the_bit(base: float) -> None:
    torch.manual_seed(2)
    config = LlamaConfig(hidden_size=64, num_attention_heads=4, rope_parameters={"rope_type": "default", "rope_theta": base})
    q, k, positions = torch.randn(2, 4, 9, 16), torch.randn(2, 2, 9, 16), torch.arange(1000, 1009)
    cos, sin = LlamaRotaryEmbedding(config)(q, positions[None])
    expected = apply_rotary_pos_emb(q, k, cos, sin)
    rope = RoPE(d=16, base=base)
    torch.testing.assert_close((rope.rotate(q, positions), rope.rotate(k, positions)), expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(torch.cat([rope.angles(positions, 16, torch.float32)[0]] * 2, -1), cos[0], rtol=0, atol=0)


def test_interleaved_equals_hugging_face_gptj() -> None:
    torch.manual_seed(3)
    x, positions = torch.randn(2, 3, 7, 8), torch.arange(7)
    rope = RoPE(interleaved=True)
    cos, sin = (table[None].expand(2, -1, -1) for table in rope.angles(positions, 8, torch.float32))
    torch.testing.assert_close(rope.rotate(x, positions), turn_gptj(x.transpose(1, 2), sin, cos).transpose(1, 2))


@pytest.mark.parametrize("rope", EVERY)
def test_scores_depend_on_distance_only(rope: RoPE) -> None:
    torch.manual_seed(4)
    q, k, at = torch.randn(1, 1, 6, 8, dtype=torch.float64), torch.randn(1, 1, 6, 8, dtype=torch.float64), torch.arange(6)

    def scores(shift: int) -> Tensor:
        return rope.rotate(q, at + shift) @ rope.rotate(k, at + shift).transpose(-1, -2)

    torch.testing.assert_close(scores(0), scores(12345), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(scores(0), rope.rotate(q, at + 1) @ rope.rotate(k, at).transpose(-1, -2))


def test_position_zero_and_features_past_the_fraction_pass_untouched() -> None:
    torch.manual_seed(5)
    x = torch.randn(1, 2, 3, 8)
    out = RoPE(fraction=0.25).rotate(x, torch.tensor([0, 1, 2]))
    assert torch.equal(out[:, :, 0], x[:, :, 0])
    assert torch.equal(out[..., 2:], x[..., 2:])
    assert not torch.equal(out[:, :, 1, :2], x[:, :, 1, :2])


@pytest.mark.parametrize("rope", EVERY[:3])
def test_a_rotation_keeps_lengths(rope: RoPE) -> None:
    torch.manual_seed(6)
    x = torch.randn(2, 2, 5, 8, dtype=torch.float64)
    torch.testing.assert_close(rope.rotate(x, torch.arange(5) * 999).norm(dim=-1), x.norm(dim=-1))


@pytest.mark.parametrize("rope", EVERY)
def test_gradients(rope: RoPE) -> None:
    torch.manual_seed(7)
    x = torch.randn(1, 1, 3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: rope.rotate(x, torch.arange(3)), (x,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    torch.manual_seed(8)
    x, positions = torch.randn(1, 2, 9, 16).to(dtype), torch.arange(4000, 4009)
    rope = RoPE()
    assert torch.equal(rope.rotate(x, positions), rope.rotate(x.float(), positions).to(dtype))
    assert torch.equal(rope.to(dtype).rotate(x.float(), positions), RoPE().rotate(x.float(), positions))


def test_inference_mode_leaves_nothing_behind() -> None:
    rope, x = RoPE(), torch.randn(1, 1, 4, 8, requires_grad=True)
    with torch.inference_mode():
        rope.rotate(x, torch.arange(4))
    rope.rotate(x, torch.arange(4)).sum().backward()
    assert not dict(rope.named_buffers())


def test_turn_takes_a_batch_of_angles() -> None:
    torch.manual_seed(10)
    x, positions = torch.randn(2, 3, 4, 6), torch.tensor([[0, 1, 2, 3], [5, 5, 0, 9]])
    rope = RoPE()
    tables = [rope.angles(row, 6, torch.float32) for row in positions]
    cos, sin = (torch.stack(table)[:, None] for table in zip(*tables, strict=True))
    rows = torch.cat([rope.rotate(x[b : b + 1], positions[b]) for b in range(2)])
    torch.testing.assert_close(turn(x, cos, sin), rows)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: RoPE(d=7), "7 features .* even number"),
        (lambda: RoPE(d=8, fraction=0.4), r"3 features of a head of width 8 \(fraction 0.4\)"),
        (lambda: RoPE(d=4, fraction=0.1), "0 features"),
        (lambda: RoPE(d=8).rotate(torch.zeros(1, 1, 2, 6), torch.arange(2)), r"RoPE\(d=8\) was given heads of width 6"),
        (lambda: turn(torch.zeros(1, 3), torch.zeros(1, 2), torch.zeros(1, 2)), "2 angles turn 4 features, but x has 3: 1 or fewer"),
    ],
)
def test_widths_that_do_not_fit_are_refused(build, says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        build()


@pytest.mark.parametrize("options", [{"fraction": 0.0}, {"fraction": 1.5}, {"base": 1.0}])
def test_values_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="would work"):
        RoPE(**options)
