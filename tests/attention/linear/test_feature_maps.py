"""The feature maps: what their formulas say, and that random features estimate the softmax kernel without bias."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.linear.random_features import orthogonal_directions
from heedful.attention.mechanism import Mechanism, Shape, create
from heedful.linear import FEATURE_MAPS, Elu1, FeatureMap, Kernel, RandomFeatures, linear_attention

SHAPE = Shape(heads=4, kv_heads=2, d=6, q=5, k=7)
ROWS = [pytest.param(row, id=row.name) for row in FEATURE_MAPS]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_row_gives_features_of_its_width_none_negative(row: Mechanism[FeatureMap], dtype: torch.dtype) -> None:
    phi = row.build(SHAPE, {})
    features = phi(torch.randn(2, 4, 5, 6).to(dtype))
    assert features.shape == (2, 4, 5, phi.width(6))
    assert features.dtype == torch.promote_types(dtype, torch.float32)
    assert (features > 0).all()
    assert phi.name == row.name
    assert type(phi) is row.kind


def test_elu1_is_elu_plus_one_and_keeps_the_small() -> None:
    x = torch.linspace(-5, 5, 101, dtype=torch.float64).reshape(1, 1, 1, -1).requires_grad_()
    torch.testing.assert_close(Elu1()(x), torch.nn.functional.elu(x) + 1)
    assert torch.autograd.gradcheck(Elu1(), (x + 0.01,))
    assert Elu1()(torch.tensor([[[[-30.0]]]])).item() == pytest.approx(math.exp(-30))


def errors(features: int, orthogonal: bool, seeds: int) -> Tensor:
    """Estimate less exp(q·k/√d), relative, for a few pairs (pairs, seeds)."""
    generator = torch.Generator().manual_seed(5)
    q, k = 0.5 * torch.randn(2, 1, 1, 12, 8, generator=generator, dtype=torch.float64)  # longer ones need many more seeds
    exact = (q @ k.mT / math.sqrt(8)).exp()
    maps = (RandomFeatures(8, features, seed=seed, orthogonal=orthogonal).double() for seed in range(seeds))
    return torch.stack([((phi(q) @ phi(k).mT) / exact - 1).flatten() for phi in maps], dim=-1)


@pytest.mark.parametrize("orthogonal", [True, False])
def test_estimate_is_unbiased(orthogonal: bool) -> None:
    found = errors(32, orthogonal, seeds=600)
    standard_error = found.std(dim=-1) / math.sqrt(600)
    assert (found.mean(dim=-1) / standard_error).square().mean() < 2.0
    assert found.mean().abs() < 0.03


def test_error_falls_with_features_and_with_orthogonality() -> None:
    few, more, many = (errors(f, True, seeds=100).square().mean().sqrt().item() for f in (8, 64, 512))
    assert many < more < few
    assert many < few / 4
    assert errors(8, True, seeds=400).square().mean() < errors(8, False, seeds=400).square().mean()


def test_blocks_of_directions_are_at_right_angles() -> None:
    found = orthogonal_directions(5, 12, torch.Generator().manual_seed(0))
    unit = found / found.norm(dim=-1, keepdim=True)
    for block in (unit[:5], unit[5:10], unit[10:]):
        torch.testing.assert_close(block @ block.mT, torch.eye(len(block)), rtol=0, atol=1e-5)


def test_directions_favour_no_side() -> None:
    first = torch.stack([orthogonal_directions(3, 3, torch.Generator().manual_seed(seed)) for seed in range(2000)])
    assert first.mean(dim=0).abs().max() < 0.12
    torch.testing.assert_close(first.square().mean(dim=0), torch.ones(3, 3), rtol=0, atol=0.15)


def test_many_features_come_near_softmax_attention() -> None:
    q, k, v = torch.randn(3, 1, 2, 10, 8) / 2
    exact = attend(q, k, v)
    near, far = (linear_attention(q, k, v, feature_map=RandomFeatures(8, f, seed=1)) for f in (4096, 16))
    assert (near - exact).abs().mean() < 0.2 * (far - exact).abs().mean()
    assert (near - exact).abs().mean() < 0.05


def test_seed_names_the_directions_and_they_are_saved() -> None:
    one, same, other = RandomFeatures(8, 16, seed=1), RandomFeatures(8, 16, seed=1), RandomFeatures(8, 16, seed=2)
    assert torch.equal(one.directions, same.directions)
    assert not torch.equal(one.directions, other.directions)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.directions, other.directions)


def test_long_queries_neither_overflow_nor_vanish() -> None:
    phi = RandomFeatures(8, 32)
    q, k, v = 300 * torch.randn(1, 1, 6, 8), torch.randn(1, 1, 6, 8), torch.rand(1, 1, 6, 3) + 1
    out = linear_attention(q, k, v, feature_map=phi)
    assert torch.isfinite(out).all()
    assert (out >= 1).all()


@pytest.mark.parametrize("row", ROWS)
def test_kernel_is_a_dot_product_of_features(row: Mechanism[FeatureMap]) -> None:
    score = Kernel(row.build(SHAPE, {}))
    q, k = torch.randn(2, 4, 5, 6), torch.randn(2, 2, 7, 6)
    found = score(q, k, 3.0)
    dot = score.as_dot(q, k)
    assert dot is not None
    torch.testing.assert_close(found, 3.0 * dot.q @ dot.k.repeat_interleave(2, 1).mT)
    assert (found > 0).all()
    assert score(q.bfloat16(), k.bfloat16(), 1.0).dtype == torch.bfloat16


def test_options_by_name() -> None:
    built = create("feature map", FEATURE_MAPS, "favor+", SHAPE, {"features": 12, "orthogonal": False})
    assert isinstance(built, RandomFeatures)
    assert (built.d, built.features, built.orthogonal) == (6, 12, False)
