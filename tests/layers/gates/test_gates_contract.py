"""What every gate must do, over every row of the table."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from heedful.attention.mechanism import Mechanism, Shape, create, find
from heedful.cost.counter import counter
from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.gates import CBAM, GATES, Gate, GateState, SqueezeExcitation

POOLING = {"squeeze_excitation", "efficient_channel", "cbam"}
SQUEEZING = {"squeeze_excitation", "cbam"}
EXACT = {"positional_weighting", "layerwise_adaptive"}  # the identity to the last bit at the start
ROWS = [pytest.param(row, id=row.name) for row in GATES]
LAYOUTS = ["stream", "1d", "2d"]
ORDERS = [("stream", False), ("stream", True), ("1d", False), ("1d", True), ("2d", False)]  # an image has no time
SIZES = {"stream": (5, 8), "1d": (8, 5), "2d": (8, 3, 4)}


def shaken(gate: Gate, scale: float = 0.7) -> Gate:
    """The gate away from its starting point, in float64."""
    gate = gate.double()
    with torch.no_grad():
        for parameter in gate.parameters():
            parameter.normal_(std=scale)
    return gate


def built(row: Mechanism[Gate], width: int = 8, length: int = 128, **options: object) -> Gate:
    if options.get("layout") == "2d" and row.name in EXACT:
        options = {"length": (length, length), **options}
    if row.name in SQUEEZING:
        options = {"reduction": 2, **options}
    return create("gate", GATES, row.name, Shape(1, 1, width, length, length), options)


def features(layout: str, batch: int = 2) -> Tensor:
    return torch.randn(batch, *SIZES[layout], dtype=torch.float64)


def padded(x: Tensor, layout: str, fill: float) -> tuple[Tensor, Tensor]:
    """The features with two more places on the right (and below), holding `fill`, and the mask that says so."""
    axes = {"stream": [1], "1d": [2], "2d": [2, 3]}[layout]
    size = [n + 2 if axis in axes else n for axis, n in enumerate(x.shape)]
    inner = tuple(slice(0, n) for n in x.shape)
    wide, mask = x.new_full(size, fill), torch.zeros([size[0]] + [size[a] for a in axes], dtype=torch.bool)
    wide[inner] = x
    mask[tuple([slice(None)] + [inner[a] for a in axes])] = True
    return wide, mask


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", ROWS)
def test_shape_and_starting_point(row, layout):
    gate, x = built(row, layout=layout).double(), features(layout)
    expected = x if row.name in EXACT else 0.9 * x
    torch.testing.assert_close(gate(x), expected, rtol=1e-6, atol=1e-6)
    assert row.name not in EXACT or torch.equal(gate(x), x)
    assert torch.broadcast_shapes(gate.gate(x).shape, x.shape) == x.shape


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", ROWS)
def test_reset_returns_to_the_start(row, layout):
    gate, x = shaken(built(row, layout=layout)), features(layout)
    gate.reset_parameters()
    torch.testing.assert_close(gate(x), x if row.name in EXACT else 0.9 * x, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("row", ROWS)
def test_gate_range(row):
    gate = shaken(built(row), scale=3.0)
    values = gate.gate(torch.randn(4, 30, 8, dtype=torch.float64))
    if row.name == "positional_weighting":
        assert values.min() < -1
        assert values.max() > 1
    else:
        assert values.min() >= 0
        assert values.max() <= 1
        assert values.max() - values.min() > 0.5  # and it moves


@pytest.mark.parametrize(("layout", "causal"), ORDERS)
@pytest.mark.parametrize("row", ROWS)
def test_gradients(row, layout, causal):
    gate = shaken(built(row, width=4, length=6, layout=layout, causal=causal))
    x = torch.randn(2, *{"stream": (3, 4), "1d": (4, 3), "2d": (4, 2, 3)}[layout], dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in gate.named_parameters()]

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(gate, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *gate.parameters()))


@pytest.mark.parametrize("row", ROWS)
def test_every_parameter_learns(row):
    gate, x = shaken(built(row, length=5)), features("stream")
    gate(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gate.parameters())


@pytest.mark.parametrize(("layout", "causal"), ORDERS)
@pytest.mark.parametrize("row", ROWS)
def test_padding_changes_nothing(row, layout, causal):
    gate, x = shaken(built(row, layout=layout, causal=causal)), features(layout)
    wide, mask = padded(x, layout, float("nan"))
    wide.requires_grad_()
    x.requires_grad_()
    inner = tuple(slice(0, n) for n in x.shape)
    plain, with_padding = gate(x), gate(wide, mask=mask)
    torch.testing.assert_close(with_padding[inner], plain)
    rest = with_padding.detach().clone()
    rest[inner] = 0.0
    assert rest.abs().max() == 0  # the padding comes out as zeros
    asked = [x, *gate.parameters()], [wide, *gate.parameters()]
    grads = torch.autograd.grad(plain.square().sum(), asked[0]), torch.autograd.grad(with_padding.square().sum(), asked[1])
    torch.testing.assert_close(grads[1][0][inner], grads[0][0])
    for one, other in zip(grads[0][1:], grads[1][1:], strict=True):
        torch.testing.assert_close(other, one)


@pytest.mark.parametrize("row", ROWS)
def test_padding_on_the_left_changes_nothing(row):
    gate, x = shaken(built(row, causal=True)), features("stream")
    mask = torch.tensor([[False] * 3 + [True] * 5] * 2)
    wide = torch.cat([torch.full((2, 3, 8), float("nan"), dtype=torch.float64), x], dim=1)
    torch.testing.assert_close(gate(wide, mask=mask)[:, 3:], gate(x))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_nothing_but_padding(row, causal):
    gate, x = shaken(built(row, causal=causal)), features("stream").requires_grad_()
    y = gate(x, mask=torch.zeros(2, 5, dtype=torch.bool))
    y.sum().backward()
    assert y.abs().max() == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in [x, *gate.parameters()])


@pytest.mark.parametrize("layout", ["stream", "1d"])
@pytest.mark.parametrize("row", ROWS)
def test_no_look_into_the_future(row, layout):
    gate, x = shaken(built(row, layout=layout, causal=True)), features(layout).requires_grad_()
    time = 1 if layout == "stream" else 2
    past = gate(x).narrow(time, 0, 3)
    changed = x.detach().clone()
    changed.narrow(time, 3, 2).fill_(float("nan"))
    assert torch.equal(gate(changed).narrow(time, 0, 3), past)
    (gradient,) = torch.autograd.grad(past.square().sum(), x)
    assert gradient.narrow(time, 3, 2).abs().max() == 0
    assert gradient.narrow(time, 0, 3).abs().max() > 0


@pytest.mark.parametrize("row", [p for p in ROWS if p.id in POOLING])
def test_without_causal_the_future_is_seen(row):
    gate, x = shaken(built(row)), features("stream").requires_grad_()
    (gradient,) = torch.autograd.grad(gate(x)[:, :3].square().sum(), x)
    assert gradient[:, 3:].abs().max() > 0


@pytest.mark.parametrize("pieces", [[1] * 9, [4, 1, 4], [8, 1], [9]])
@pytest.mark.parametrize("layout", ["stream", "1d"])
@pytest.mark.parametrize("row", ROWS)
def test_steps_equal_the_full_pass(row, layout, pieces):
    gate, time = shaken(built(row, layout=layout, causal=True)), 1 if layout == "stream" else 2
    x = torch.randn(2, *((9, 8) if layout == "stream" else (8, 9)), dtype=torch.float64)
    state, outs = None, []
    for piece in x.split(pieces, dim=time):
        y, state = gate.step(piece, state)
        outs.append(y)
    assert state.seen == 9
    torch.testing.assert_close(torch.cat(outs, dim=time), gate(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_steps_after_prompts_padded_on_the_left(row):
    gate, x = shaken(built(row, causal=True)), torch.randn(3, 9, 8, dtype=torch.float64)
    mask = torch.arange(9) >= torch.tensor([[0], [2], [5]])
    state, outs = None, []
    for start, end in [(0, 2), (2, 4), (4, 7), (7, 8), (8, 9)]:
        real = mask[:, start:end] if end < 9 else None  # past the prompt the mask may be left out
        y, state = gate.step(x[:, start:end], state, mask=real)
        outs.append(y)
    torch.testing.assert_close(torch.cat(outs, dim=1), gate(x, mask=mask), rtol=1e-12, atol=1e-12)
    alone = gate(x[2:, 5:])
    torch.testing.assert_close(torch.cat(outs, dim=1)[2:, 5:], alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_a_state_is_a_value_and_follows_its_beams(row):
    gate, x = shaken(built(row, causal=True)), torch.randn(3, 6, 8, dtype=torch.float64)
    mask = torch.arange(6) >= torch.tensor([[0], [1], [3]])
    index = torch.tensor([2, 0, 0])
    _, state = gate.step(x[:, :4], mask=mask[:, :4])
    once, _ = gate.step(x[:, 4:], state)
    again, _ = gate.step(x[:, 4:], state)
    assert torch.equal(once, again)
    moved, _ = gate.step(x[index][:, 4:], state.reorder(index))
    torch.testing.assert_close(moved, once[index])


@pytest.mark.parametrize("size", [1, 63, 100])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", ROWS)
def test_odd_sizes(row, layout, size):
    for width in (1, 7):
        shape = {"stream": (size, width), "1d": (width, size), "2d": (width, size, 3)}[layout]
        gate, x = built(row, width=width, layout=layout), torch.randn(1, *shape)
        assert gate(x).shape == x.shape
        assert gate(x).isfinite().all()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_half_precision_is_near(row, causal):
    gate = shaken(built(row, length=300, causal=causal), scale=0.2)
    with torch.no_grad():  # weights that half precision holds exactly, so that only the arithmetic differs
        for parameter in gate.parameters():
            parameter.copy_(parameter.bfloat16())
    x = torch.randn(2, 300, 8).bfloat16()
    half = copy.deepcopy(gate).bfloat16()(x)
    exact = gate(x.double())
    assert half.dtype == torch.bfloat16
    assert (half.double() - exact).abs().max() <= 0.03 * exact.abs().max()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_compiles_whole(row, causal):
    gate, x = shaken(built(row, causal=causal)), features("stream").requires_grad_()
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    compiled = torch.compile(gate, backend="aot_eager", fullgraph=True)
    plain, fast = gate(x, mask=mask), compiled(x, mask=mask)
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(*(torch.autograd.grad(y.square().sum(), x)[0] for y in (fast, plain)))


@pytest.mark.parametrize("row", ROWS)
def test_initialising_a_model_leaves_the_start_alone(row):
    """A model that draws the weights of all its nn.Linear anew must not lose the gates' starting point."""
    model = nn.Sequential(nn.Linear(8, 8), built(row))
    before = copy.deepcopy(model[1].state_dict())
    model.apply(lambda m: nn.init.normal_(m.weight) if isinstance(m, nn.Linear | nn.Conv1d) else None)
    assert all(torch.equal(value, before[name]) for name, value in model[1].state_dict().items())


@pytest.mark.parametrize("row", ROWS)
def test_wrong_features_are_refused(row):
    gate = built(row)
    for bad in (torch.randn(2, 5, 9), torch.randn(5, 8), torch.randn(2, 8, 5, 5), torch.randn(2, 0, 8)):
        with pytest.raises(ShapeError, match="found"):
            gate(bad)
    for mask in (torch.ones(2, 5), torch.ones(2, 4, dtype=torch.bool), torch.ones(2, 5, 1, dtype=torch.bool)):
        with pytest.raises(ShapeError, match="mask"):
            gate(torch.randn(2, 5, 8), mask=mask)


@pytest.mark.parametrize("row", ROWS)
def test_wrong_options_are_refused(row):
    with pytest.raises(UsageError, match="stream"):
        built(row, layout="steam")
    with pytest.raises(UsageError, match="axis of time"):
        built(row, layout="2d", causal=True)
    with pytest.raises(UsageError, match="layout"):
        built(row, layuot="1d")
    if row.name != "positional_weighting":
        with pytest.raises(UsageError, match="start"):
            built(row, start=1.0)


def test_steps_without_order_are_refused():
    with pytest.raises(Unsupported, match="causal=True"):
        SqueezeExcitation(8).step(torch.randn(1, 2, 8))
    with pytest.raises(Unsupported, match="axis of time"):
        CBAM(8, layout="2d").step(torch.randn(1, 8, 2, 2), GateState())


def operations(name: str, n: int, m: int, causal: bool) -> int:
    """What the table's `cost` column says, for n places in all, width m, and the sizes that `built` gives."""
    pooled, hidden = n if causal else 1, m // 2
    return {
        "squeeze_excitation": 4 * pooled * m * hidden,
        "positional_weighting": 4 * n * m * m + 2 * n * m,
        "layerwise_adaptive": 4 * n * m * m + 4 * n * m,
        "efficient_channel": 2 * pooled * m * 3,
        "cbam": 6 * pooled * m * hidden + 4 * n * 7,
        "attention_gate": 4 * n * m * hidden + 2 * n * hidden,
    }[name]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_declared_cost_equals_counted(row, causal):
    with counter() as counted:
        built(row, causal=causal)(torch.randn(1, 20, 8))
    assert counted.get_total_flops() == operations(row.name, 20, 8, causal)


@pytest.mark.parametrize(("alias", "name"), [("se", "squeeze_excitation"), ("lpw", "positional_weighting"), ("laa", "layerwise_adaptive")])
def test_article_names(alias, name):
    assert find("gate", GATES, alias).name == name
