from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from heedful.layers.multihead import MultiHeadAttention
from heedful.spec import TrainSpec
from heedful.train.muon import Muon, orthogonal
from heedful.train.optimise import hidden_matrices, optimisers, set_rates
from heedful.train.schedule import factor


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.norm = nn.LayerNorm(6)
        self.up = nn.Linear(6, 24)
        self.down = nn.Linear(24, 6, bias=False)
        self.head = nn.Linear(6, 11, bias=False)
        self.scale = nn.Parameter(torch.ones(()))


def decays(net: nn.Module, spec: TrainSpec) -> dict[str, float]:
    found = {
        id(weight): group["weight_decay"] for made in optimisers(net, spec) for group in made.param_groups for weight in group["params"]
    }
    return {name: found[id(weight)] for name, weight in net.named_parameters()}


def test_matrices_decay_and_nothing_else() -> None:
    found = decays(Net(), TrainSpec(weight_decay=0.3))
    assert {name for name, decay in found.items() if decay} == {"embed.weight", "up.weight", "down.weight", "head.weight"}
    assert set(found.values()) == {0.0, 0.3}


def test_embeddings_may_be_spared() -> None:
    assert decays(Net(), TrainSpec(weight_decay=0.3, decay_embeddings=False))["embed.weight"] == 0.0


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_every_parameter_is_in_one_group_and_frozen_ones_in_none(optimiser: str) -> None:
    net = Net()
    net.up.weight.requires_grad_(False)
    made = optimisers(net, TrainSpec(optimiser=optimiser))  # type: ignore[arg-type]
    held = [id(weight) for one in made for group in one.param_groups for weight in group["params"]]
    assert sorted(held) == sorted(id(weight) for weight in net.parameters() if weight.requires_grad)


def test_muon_takes_the_matrices_inside() -> None:
    net = Net()
    assert {id(weight) for weight in hidden_matrices(net)} == {id(net.up.weight), id(net.down.weight)}
    net.head.weight = net.embed.weight
    assert {id(weight) for weight in hidden_matrices(net)} == {id(net.up.weight), id(net.down.weight)}


def test_adamw_equals_the_textbook() -> None:
    spec = TrainSpec(learning_rate=0.1, betas=(0.8, 0.9), weight_decay=0.5)
    net = nn.Linear(3, 2, bias=False).double()
    expected, first, second = net.weight.detach().clone(), torch.zeros(2, 3).double(), torch.zeros(2, 3).double()
    (made,) = optimisers(net, spec)
    for t in range(1, 5):
        gradient = torch.randn(2, 3).double()
        net.weight.grad = gradient.clone()
        made.step()
        first = 0.8 * first + 0.2 * gradient
        second = 0.9 * second + 0.1 * gradient**2
        step = first / (1 - 0.8**t) / ((second / (1 - 0.9**t)).sqrt() + 1e-8)
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * step
    torch.testing.assert_close(net.weight.detach(), expected)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 4, 32), (2, 32, 4), (1, 1, 5)])
def test_an_orthogonal_update_keeps_directions_and_levels_their_strength(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape)
    made = orthogonal(matrices)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = left.mT @ made @ right.mT
    diagonal = values.diagonal(dim1=-2, dim2=-1)
    assert made.shape == matrices.shape
    assert float((values - torch.diag_embed(diagonal)).abs().max()) < 0.06
    assert float(diagonal.max()) < 1.3
    assert float(diagonal.min()) > 0.2


def test_muon_takes_attention_s_matrices_and_leaves_its_vectors() -> None:
    layer = MultiHeadAttention(8, 2, sinks=True, temperature=True, qk_norm=True)
    assert {id(weight) for weight in hidden_matrices(layer)} == {id(layer.in_proj_weight), id(layer.out_proj.weight)}


def test_muon_moves_like_torch_s() -> None:
    torch.manual_seed(1)
    ours = [nn.Parameter(torch.randn(8, 4)), nn.Parameter(torch.randn(8, 4)), nn.Parameter(torch.randn(4, 8))]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    first = Muon(ours, lr=0.1, weight_decay=0.2)
    # torch blends the gradient in as (1 - m) g; the direction, which is all that is kept, is the same.
    second = torch.optim.Muon(theirs, lr=0.1, weight_decay=0.2, adjust_lr_fn="original")
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        first.step()
        second.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=0.02, rtol=0.0)


def test_muon_solves_what_it_should() -> None:
    target = torch.randn(6, 6)
    weight = nn.Parameter(torch.zeros(6, 6))
    optimiser = Muon([weight], lr=0.05)
    for step in range(200):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 200)
        optimiser.zero_grad()
        (weight - target).square().sum().backward()
        optimiser.step()
    assert float((weight - target).detach().abs().max()) < 0.05


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize(("total", "warmup"), [(100, 10), (100, 0), (1, 0), (5, 10), (10, 10)])
def test_a_rate_climbs_then_falls_to_its_floor(schedule: str, total: int, warmup: int) -> None:
    rates = [factor(schedule, step, total, warmup, 0.1) for step in range(total)]  # type: ignore[arg-type]
    top = min(warmup, total)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert all(0 < rate <= 1 for rate in rates)
    if total > warmup + 1:
        assert rates[warmup] == 1.0
        assert rates[-1] == pytest.approx(1.0 if schedule == "constant" else 0.1)


def test_half_way_down_a_cosine_is_half() -> None:
    assert factor("cosine", 50, 101, 0, 0.0) == pytest.approx(0.5)
    assert factor("cosine", 25, 101, 0, 0.0) == pytest.approx(0.5 + math.sqrt(2) / 4)
    assert factor("linear", 25, 101, 0, 0.2) == pytest.approx(0.8)


def test_each_group_has_its_own_peak() -> None:
    spec = TrainSpec(optimiser="muon", learning_rate=1e-3, matrix_rate=0.02, schedule="constant", warmup=4)
    made = optimisers(Net(), spec)
    assert set_rates(made, spec, step=1, total=10) == 0.5
    assert [group["lr"] for one in made for group in one.param_groups] == [0.01, 5e-4, 5e-4]
