from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.cost import attention as declared
from heedful.cost.attention import Sizes
from heedful.cost.formulas import linear, mlp, recurrent
from heedful.cost.summary import short, summarise


class Attention(nn.Module):
    def __init__(self, m: int, heads: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.project, self.out = nn.Linear(m, 3 * m), nn.Linear(m, m)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in self.project(x).chunk(3, dim=-1))
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True) if self.fused else torch.softmax(q @ k.mT, dim=-1) @ v
        return self.out(out.transpose(1, 2).flatten(2))


class Model(nn.Module):
    """Two blocks, and attention over the past in the model's own code besides."""

    def __init__(self, fused: bool = True) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"attention": Attention(16, 4, fused), "mlp": nn.Sequential(nn.Linear(16, 40), nn.GELU(), nn.Linear(40, 16))})
            for _ in range(2)
        )
        self.recurrent = nn.LSTM(16, 16, batch_first=True)
        self.dropout = nn.Dropout(0.5)

    def forward(self, ids: Tensor, *, loud: bool = False) -> Tensor:
        x = self.embed(ids)
        for block in self.blocks:
            x = x + block["attention"](x)
            x = x + block["mlp"](x)
        x, _ = self.recurrent(self.dropout(x))
        x = x + torch.softmax(x @ x.mT, dim=-1) @ x
        return F.linear(x, self.embed.weight) * (2.0 if loud else 1.0)


IDS = torch.arange(20).reshape(2, 10)
CORE = 2 * declared.forward(Sizes(2, 4, 4, 10, 10, 4, 4)).operations
OWN = declared.forward(Sizes(2, 1, 1, 10, 10, 16, 16)).operations
PROJECTED = 2 * declared.projections(Sizes(2, 4, 4, 10, 10, 4, 4), 16).operations
REST = 2 * mlp(20, 16, 40).operations + recurrent(2, 10, 16, 16).operations + linear(20, 16, 50).operations


@pytest.mark.parametrize("fused", [False, True])
def test_counted_equals_declared(fused):
    cost = summarise(Model(fused), [IDS], attention=(Attention,))
    assert cost.core == CORE + OWN
    assert cost.attention == CORE + OWN + PROJECTED
    assert cost.operations == CORE + OWN + PROJECTED + REST
    assert cost.share == pytest.approx((CORE + OWN) / cost.operations)
    assert cost.share_with_projections == pytest.approx((CORE + OWN + PROJECTED) / cost.operations)


def test_each_layer_has_its_own():
    model = Model()
    layers = {layer.name: layer for layer in summarise(model, [IDS]).layers}
    one = layers["blocks.1.attention"]
    assert (one.kind, one.depth) == ("Attention", 3)
    assert one.parameters == 4 * 16 * 16 + 4 * 16
    assert one.core == CORE // 2
    assert one.operations == (CORE + PROJECTED) // 2
    assert layers["blocks.0.mlp"].core == 0
    assert layers["recurrent"].operations == recurrent(2, 10, 16, 16).operations
    assert "blocks" not in layers  # a list computes nothing


def test_without_classes_only_the_core_is_attention():
    cost = summarise(Model(), [IDS])
    assert cost.attention == cost.core


def test_parameters_shared_and_frozen():
    model = Model()
    model.embed.weight.requires_grad_(False)
    cost = summarise(model, [IDS])
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert cost.trainable == cost.parameters - 50 * 16


@pytest.mark.parametrize("grad", [False, True])
def test_torchs_own_layers_hide_nothing(grad):
    """The fused encoder would be counted as nothing."""
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 40, batch_first=True), 2).requires_grad_(grad).eval()
    cost = summarise(model, [torch.randn(2, 10, 16)])
    assert cost.core == CORE
    assert cost.attention == CORE + PROJECTED
    assert cost.operations == CORE + PROJECTED + 2 * mlp(20, 16, 40).operations
    assert all(p.requires_grad is grad for p in model.parameters())


def test_a_view_through_a_slice_of_a_weight_is_no_attention():
    """Without gradients torch would apply a weight to a view, batch by batch, by a batched product."""

    class Sliced(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(24, 8))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x.transpose(1, 2), self.weight[8:16])

    with torch.no_grad():
        cost = summarise(Sliced(), [torch.randn(2, 8, 10)])
    assert (cost.core, cost.operations) == (0, linear(20, 8, 8).operations)


def test_the_model_is_left_as_it_was():
    model = Model()
    model.dropout.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    summarise(model, [IDS], {"loud": True})
    assert model.training
    assert not model.dropout.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_failing_model_is_put_back_too():
    model = Model()
    model.embed.weight.requires_grad_(False)
    with pytest.raises(TypeError):
        summarise(model, [IDS], {"quiet": True})
    assert model.training
    assert not model.embed.weight.requires_grad


def test_a_model_without_products():
    cost = summarise(nn.Sequential(nn.ReLU()), [torch.randn(3)])
    assert (cost.operations, cost.share, cost.share_with_projections) == (0, 0.0, 0.0)
    assert "0 operations" in cost.line()


def test_the_table_shows_what_was_counted():
    cost = summarise(Model(), [IDS], attention=(Attention,))
    lines = cost.table(depth=3).splitlines()
    assert lines[0].split() == ["layer", "class", "parameters", "operations", "attention"]
    assert lines[1].split()[:2] == ["Model", "Model"]
    assert len({len(line) for line in lines}) == 1
    (row,) = [line for line in lines if "blocks.0.attention " in line]
    assert row.split()[-1] == f"{CORE / (CORE + PROJECTED):.1%}"
    assert "Dropout" not in cost.table()
    assert len(cost.table(depth=0).splitlines()) == 2


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999.4, "999"), (999.6, "1 k"), (123456, "123 k"), (1.5e13, "15 T")])
def test_short_numbers(number, text):
    assert short(number) == text
