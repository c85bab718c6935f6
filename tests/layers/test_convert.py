"""convert: other people's models compute the same with our attention inside."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.layers.convert import convert
from heedful.layers.torch_attention import TorchAttention
from heedful.masks import Causal, Window

PADDING = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]).bool()
CAUSAL = nn.Transformer.generate_square_subsequent_mask(5).double()
FLOAT_PADDING = torch.zeros(3, 5).double().masked_fill(PADDING, -torch.inf)


def twins(model: nn.Module) -> tuple[nn.Module, nn.Module]:
    model = model.double()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    ours = copy.deepcopy(model)
    assert len(convert(ours)) > 0
    return model, ours


def same(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(("batch_first", "norm_first", "train"), list(itertools.product((True, False), repeat=3)))
@pytest.mark.parametrize(
    "masks",
    [
        {},
        {"src_key_padding_mask": PADDING},
        {"mask": CAUSAL},
        {"mask": CAUSAL, "is_causal": True},
        {"mask": CAUSAL, "src_key_padding_mask": FLOAT_PADDING},
    ],
    ids=lambda masks: "+".join(masks) or "none",
)
def test_an_encoder_is_the_same_in_training_and_evaluation(batch_first: bool, norm_first: bool, train: bool, masks: dict[str, Any]) -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=batch_first, norm_first=norm_first)
    theirs, ours = (model.train(train) for model in twins(nn.TransformerEncoder(layer, 2)))
    x = torch.randn(3, 5, 16, dtype=torch.float64)
    x = x if batch_first else x.transpose(0, 1)
    same(ours(x, **masks), theirs(x, **masks))
    with torch.no_grad():  # in evaluation torch now goes its fused way, through nested tensors where there is padding
        same(ours(x, **masks), theirs(x, **masks))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_whole_transformer_with_gradients() -> None:
    theirs, ours = twins(nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True))
    src, tgt = torch.randn(3, 4, 8, dtype=torch.float64), torch.randn(3, 5, 8, dtype=torch.float64)
    for model in (theirs, ours):
        model(src, tgt, tgt_mask=CAUSAL, tgt_is_causal=True).square().sum().backward()
    for (name, a), (_, b) in zip(theirs.named_parameters(), ours.named_parameters(), strict=True):
        assert a.grad is not None, name
        assert b.grad is not None, name
        torch.testing.assert_close(b.grad, a.grad, rtol=0, atol=1e-11, msg=name)


def test_the_fused_path_does_not_go_around_it() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).eval()
    convert(layer)
    assert isinstance(layer.self_attn, TorchAttention)
    x = torch.randn(1, 5, 8)
    with torch.no_grad():
        before = layer(x)
        layer.self_attn.mask = Causal() & Window(1)
        assert not torch.allclose(layer(x), before)


@pytest.mark.parametrize("dims", [{}, {"kdim": 6, "vdim": 6}, {"kdim": 6, "vdim": 4}])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("average", [True, False])
def test_weights_are_the_same(dims: dict[str, int], batch_first: bool, batched: bool, average: bool) -> None:
    theirs = nn.MultiheadAttention(8, 2, batch_first=batch_first, add_bias_kv=True, add_zero_attn=not average, **dims).double()
    ours = TorchAttention(theirs)
    q, k, v = (torch.randn(3, t, width, dtype=torch.float64) for t, width in ((4, 8), (5, theirs.kdim), (5, theirs.vdim)))
    if not batched:
        q, k, v = q[0], k[0], v[0]
    elif not batch_first:
        q, k, v = (each.transpose(0, 1) for each in (q, k, v))
    padding = PADDING if batched else PADDING[1]
    pairs = torch.randn(6 if batched else 2, 4, 5, dtype=torch.float64) > 1.0
    for masks in ({"key_padding_mask": padding}, {"attn_mask": pairs}, {"attn_mask": pairs[0], "key_padding_mask": padding}):
        expected = theirs(q, k, v, average_attn_weights=average, **masks)
        found = ours(q, k, v, average_attn_weights=average, **masks)
        same(found[0], expected[0])
        same(found[1], expected[1])
        assert ours(q, k, v, need_weights=False, **masks)[1] is None
        same(ours(q, k, v, need_weights=False, **masks)[0], expected[0])


def test_the_causal_hint() -> None:
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    ours, x, longer = TorchAttention(theirs), torch.randn(1, 5, 8).double(), torch.randn(1, 7, 8).double()
    for k in (x, longer):
        hint = torch.ones(5, k.shape[1], dtype=torch.bool).triu(1)
        for wanted in (True, False):
            expected = theirs(x, k, k, attn_mask=hint, is_causal=True, need_weights=wanted)
            same(ours(x, k, k, attn_mask=hint, is_causal=True, need_weights=wanted)[0], expected[0])
    with pytest.raises(UsageError, match="attn_mask=None"):
        ours(x, x, x, is_causal=True)


def test_a_row_with_nothing_to_attend_to_is_zero_where_torch_has_nan() -> None:
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, bias=False)
    ours, x = TorchAttention(theirs), torch.randn(2, 3, 8, requires_grad=True)
    padding = torch.tensor([[False, False, False], [True, True, True]])
    for mask in (padding, torch.zeros(2, 3).masked_fill(padding, -torch.inf)):
        for wanted in (True, False):
            out, weights = ours(x, x, x, key_padding_mask=mask, need_weights=wanted)
            assert not out[1].any()
            assert weights is None or not weights[1].any()
            (grad,) = torch.autograd.grad(out.sum(), x)
            assert grad.isfinite().all()
    assert theirs(x, x, x, key_padding_mask=padding)[1][1].isnan().all()


def test_parameters_stay_the_same_objects_under_the_same_names() -> None:
    model = nn.TransformerDecoderLayer(8, 2, 16)
    before, names = dict(model.named_parameters()), list(model.state_dict())
    converted = convert(model)
    assert converted.replaced == ("self_attn", "multihead_attn")
    assert converted.left == {}
    assert all(parameter is before[name] for name, parameter in model.named_parameters())
    assert sorted(model.state_dict()) == sorted(names)
    fresh = nn.TransformerDecoderLayer(8, 2, 16)
    model.load_state_dict(fresh.state_dict())
    fresh.load_state_dict(model.state_dict())


class Sharing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.MultiheadAttention(8, 2, dropout=0.5)
        self.again = self.first
        self.many = nn.ModuleDict({"x": nn.ModuleList([nn.MultiheadAttention(4, 1)])})


class OwnKind(nn.MultiheadAttention):
    pass


def test_shared_and_nested_layers_and_those_left_alone() -> None:
    model = Sharing()
    model.own = OwnKind(4, 2)
    model.hooked = nn.MultiheadAttention(4, 2)
    handle = model.hooked.register_forward_hook(lambda *_: None)
    converted = convert(model)
    assert converted.replaced == ("first", "again", "many.x.0")
    assert model.first is model.again
    assert isinstance(model.first, TorchAttention)
    assert model.first.dropout == 0.5
    assert converted.left == {"own": "OwnKind is a class of its own", "hooked": "hooks are attached to it: remove them first"}
    assert len(convert(model)) == 0
    handle.remove()
    assert convert(model).replaced == ("hooked",)


def test_a_bare_layer_is_refused() -> None:
    with pytest.raises(Unsupported, match="from_torch"):
        convert(nn.MultiheadAttention(8, 2))


def test_dropout_draws_as_torch_does() -> None:
    theirs = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True).double()
    ours, x = TorchAttention(theirs), torch.randn(2, 6, 8, dtype=torch.float64)
    for wanted in (True, False):
        torch.manual_seed(3)
        expected = theirs(x, x, x, need_weights=wanted)[0]
        torch.manual_seed(3)
        same(ours(x, x, x, need_weights=wanted)[0], expected)


@pytest.mark.parametrize(
    ("shapes", "masks", "said"),
    [
        (((1, 3, 8), (3, 8), (3, 8)), {}, "all .* or all with a batch"),
        (((1, 3, 6), (1, 3, 8), (1, 3, 8)), {}, "query 8, key 8 and value 8 wide"),
        (((1, 3, 8), (1, 4, 8), (1, 3, 8)), {}, "one length and batch"),
        (((1, 3, 8),) * 3, {"attn_mask": torch.ones(2, 3, dtype=torch.bool)}, r"attn_mask has the shape \(3, 3\) or \(2, 3, 3\)"),
        (((1, 3, 8),) * 3, {"key_padding_mask": torch.ones(3, dtype=torch.bool)}, r"key_padding_mask has the shape \(1, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(shapes: tuple[tuple[int, ...], ...], masks: dict[str, Tensor], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        TorchAttention(nn.MultiheadAttention(8, 2, batch_first=True))(*(torch.randn(shape) for shape in shapes), **masks)
