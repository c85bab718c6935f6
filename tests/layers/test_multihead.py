"""The layer against the formula written out by hand, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Causal, Dense, Padding, Window
from heedful.positions import RoPE
from heedful.scores import Additive, Biased, ContentBiased


def shaken(layer: MultiHeadAttention) -> MultiHeadAttention:
    """In float64, with no parameter left at its start."""
    layer = layer.double()
    for parameter in layer.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return layer


def cut(x: Tensor, heads: int) -> Tensor:
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def by_hand(layer: MultiHeadAttention, x: Tensor, context: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """softmax(QKᵀ/√d)V, heads side by side, keys and values copied for their groups."""
    w, bias = layer.widths, layer.in_proj_bias
    weight = layer.in_proj_weight
    assert weight is not None
    assert bias is not None
    sizes = [w.query, w.shared, w.shared]
    (wq, wk, wv), (bq, bk, bv) = weight.split(sizes), bias.split(sizes)
    q = cut(x @ wq.T + bq, w.heads)
    k, v = (cut(context @ m.T + b, w.kv_heads).repeat_interleave(w.heads // w.kv_heads, 1) for m, b in ((wk, bk), (wv, bv)))
    scores = q @ k.mT / w.head_dim**0.5
    weights = (scores if allowed is None else scores.masked_fill(~allowed, -torch.inf)).softmax(-1)
    out = (weights @ v).transpose(1, 2).flatten(2)
    return out @ layer.out_proj.weight.T + layer.out_proj.bias, weights


@pytest.mark.parametrize(("length", "kv_heads", "head_dim"), [(1, 4, None), (5, 2, None), (63, 1, None), (100, 4, 3)])
def test_equals_the_formula(length: int, kv_heads: int, head_dim: int | None) -> None:
    layer = shaken(MultiHeadAttention(8, 4, kv_heads=kv_heads, head_dim=head_dim, mask="causal"))
    x = torch.randn(2, length, 8, dtype=torch.float64)
    out, trace = layer(x, trace=True)
    expected, weights = by_hand(layer, x, x, torch.ones(length, length, dtype=torch.bool).tril())
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(trace.weights, weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)


def test_a_context_as_wide_as_the_stream() -> None:
    layer = shaken(MultiHeadAttention(8, 4, kv_heads=2))
    x, context = torch.randn(2, 3, 8, dtype=torch.float64), torch.randn(2, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(layer(x, context), by_hand(layer, x, context)[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x, context, values=context), layer(x, context), rtol=0, atol=1e-12)


def test_context_and_values_of_other_widths() -> None:
    layer = MultiHeadAttention(8, 2, context_dim=6, value_dim=10)
    x, context, values = torch.randn(2, 3, 8), torch.randn(2, 7, 6), torch.randn(2, 7, 10)
    out, trace = layer(x, context, values=values, trace=True)
    assert out.shape == (2, 3, 8)
    assert trace.weights.shape == (2, 2, 3, 7)
    loud = values.clone()
    loud[:, 2] += 1.0
    assert torch.equal(layer(x, context, values=loud, trace=True)[1].weights, trace.weights)
    assert not torch.allclose(layer(x, context, values=loud), out)


def test_gradients() -> None:
    layer = shaken(
        MultiHeadAttention(4, 2, kv_heads=1, mask=Causal() & Window(2), position="rope", qk_norm=True, sinks=True, temperature=True)
    )
    x = torch.randn(1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    layer(x).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


def test_every_option_reaches_attend() -> None:
    layer = shaken(
        MultiHeadAttention(
            8,
            2,
            score="cosine",
            mask=Causal(),
            position="alibi",
            weighting="sparsemax",
            scale=3.0,
            softcap=2.0,
            temperature=True,
            bias=False,
        )
    )
    x, bias = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 1, 5, dtype=torch.float64)
    q, k, v = layer.project(x)
    heads = attend(
        q,
        k,
        v,
        score="cosine",
        mask=Causal(),
        bias=bias,
        position="alibi",
        weighting="sparsemax",
        scale=3.0,
        softcap=2.0,
        temperature=layer.temperature,
    )
    torch.testing.assert_close(layer(x, bias=bias), heads.transpose(1, 2).flatten(2) @ layer.out_proj.weight.T, rtol=0, atol=1e-12)
    with_sink = shaken(MultiHeadAttention(8, 2, sinks=True))
    q, k, v = with_sink.project(x)
    _, weights = attend(q, k, v, sink_logits=with_sink.sink_logits, return_weights=True)
    torch.testing.assert_close(with_sink(x, trace=True)[1].weights, weights, rtol=0, atol=1e-12)


def test_qk_norm_makes_the_size_of_the_stream_irrelevant() -> None:
    layer = MultiHeadAttention(8, 2, qk_norm=True, bias=False)
    x = torch.randn(1, 4, 8)
    torch.testing.assert_close(layer(x, trace=True)[1].weights, layer(50 * x, trace=True)[1].weights, atol=1e-4, rtol=0)


def test_the_calls_mask_is_anded_with_the_layers() -> None:
    layer, x = MultiHeadAttention(8, 2, mask=Causal()), torch.randn(2, 4, 8)
    real = torch.tensor([[True, True, True, False], [True, True, False, False]])[:, None, None]
    expected = Causal().dense(4, 4) & real
    for mask in (real, Dense(real), Padding(torch.tensor([3, 2]))):
        weights = layer(x, mask=mask, trace=True)[1].weights
        assert torch.equal(weights > 0, expected.expand_as(weights))
    assert torch.equal(layer(x, mask=Window(2)), layer(x, mask=Window(2) & Causal()))


def test_causal_never_looks_ahead() -> None:
    layer, x = MultiHeadAttention(8, 2, mask="causal", position="rope"), torch.randn(1, 9, 8)
    changed = x.clone()
    changed[:, 5:] = torch.randn(1, 4, 8)
    assert torch.equal(layer(x)[:, :5], layer(changed)[:, :5])
    assert not torch.allclose(layer(x)[:, 5:], layer(changed)[:, 5:])


def test_padding_changes_nothing() -> None:
    layer, x = MultiHeadAttention(8, 2, position="t5"), torch.randn(1, 5, 8)
    padded = torch.cat([x, torch.full((1, 3, 8), 1e4)], dim=1)
    out = layer(padded, mask=Padding(torch.tensor([5])))[:, :5]
    torch.testing.assert_close(out, layer(x, mask=Padding(torch.tensor([5]))), atol=1e-5, rtol=1e-5)
    # T5's bias counts distances, so padding on the left moves nothing either
    left = torch.cat([torch.full((1, 3, 8), 1e4), x], dim=1)
    torch.testing.assert_close(layer(left, mask=Padding(torch.tensor([5]), side="left"))[:, 3:], layer(x), atol=1e-5, rtol=1e-5)


def test_a_query_with_nothing_to_attend_to_is_zero_before_the_output_bias() -> None:
    layer, x = MultiHeadAttention(8, 2, bias=False), torch.randn(1, 3, 8, requires_grad=True)
    mask = torch.ones(3, 3, dtype=torch.bool)
    mask[1] = False
    for trace in (False, True):
        out = layer(x, mask=mask, trace=True)[0] if trace else layer(x, mask=mask)
        assert not out[:, 1].any()
        out.sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()


def test_memory_stands_in_place_of_a_context() -> None:
    layer = shaken(MultiHeadAttention(8, 2, memory=5))
    x = torch.randn(2, 7, 8, dtype=torch.float64)
    out, trace = layer(x, trace=True)
    assert trace.weights.shape == (2, 2, 7, 5)
    q = cut(x @ layer.q_proj_weight.T + layer.in_proj_bias, 2)  # type: ignore[union-attr, operator]
    k, v = cut(layer.memory_k[None], 2), cut(layer.memory_v[None], 2)
    expected = ((q @ k.mT / 2).softmax(-1) @ v).transpose(1, 2).flatten(2) @ layer.out_proj.weight.T + layer.out_proj.bias
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x[:, 3:4]), out[:, 3:4], rtol=0, atol=1e-12)  # no place looks at another


def test_transposed_heads_score_the_other_way() -> None:
    plain = shaken(MultiHeadAttention(8, 4))
    layer = MultiHeadAttention(8, 4, transposed=True).double()
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    q, k, _ = plain.project(x)
    scores = q @ k.mT / 2**0.5
    expected = torch.stack([(s.mT if head % 2 else s).softmax(-1) for head, s in enumerate(scores[0])])
    torch.testing.assert_close(layer(x, trace=True)[1].weights[0], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x, x), layer(x), rtol=0, atol=1e-12)


def test_mechanisms_by_name_fit_the_layer() -> None:
    layer = MultiHeadAttention(16, 4, kv_heads=2, score="additive", position="t5", mask="window", weighting="entmax15", max_length=12)
    assert isinstance(layer.score, Additive)
    assert layer.score.heads == 4
    assert isinstance(layer.mask, Window)
    assert layer(torch.randn(1, 12, 16)).shape == (1, 12, 16)
    biased = MultiHeadAttention(16, 4, score="biased", max_length=6)
    assert isinstance(biased.score, Biased)
    assert biased.score.table.shape == (4, 6, 6)
    with pytest.raises(ShapeError, match="holds 6"):
        biased(torch.randn(1, 7, 16))


def test_tokens_for_a_content_biased_score() -> None:
    layer = MultiHeadAttention(8, 2, score=ContentBiased(4, 2, vocabulary=9))
    x, ids = torch.randn(1, 4, 8), torch.tensor([[1, 2, 3, 1]])
    assert not torch.allclose(layer(x, ids=ids), layer(x, ids=ids.flip(1)))
    with pytest.raises(Unsupported, match="content_biased"):
        MultiHeadAttention(8, 2)(x, ids=ids)


def test_dropout_only_in_training() -> None:
    layer, x = MultiHeadAttention(8, 2, dropout=0.5), torch.randn(1, 6, 8)
    assert not torch.allclose(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_backends_agree_and_a_backend_that_cannot_serve_says_so() -> None:
    x = torch.randn(2, 5, 8)
    layer = MultiHeadAttention(8, 2, mask="causal", backend="naive")
    expected = layer(x)
    layer.backend = "sdpa"
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(Unsupported, match="sdpa"):
        layer(x, trace=True)


def test_half_precision_and_devices_follow_the_input() -> None:
    layer = MultiHeadAttention(8, 2, mask="causal", position="rope", sinks=True, temperature=True, qk_norm=True).bfloat16()
    out = layer(torch.randn(1, 5, 8, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert out.isfinite().all()


@pytest.mark.parametrize(
    ("layer", "call", "error", "said"),
    [
        (lambda: MultiHeadAttention(8, 2), lambda m: m(torch.randn(1, 3, 6)), ShapeError, r"takes x \(b, t, 8\): found \(1, 3, 6\)"),
        (lambda: MultiHeadAttention(8, 2), lambda m: m(torch.randn(3, 8)), ShapeError, r"found \(3, 8\)"),
        (
            lambda: MultiHeadAttention(8, 2, context_dim=6),
            lambda m: m(torch.randn(1, 3, 8)),
            ShapeError,
            r"context \(b, k, 6\): found none",
        ),
        (
            lambda: MultiHeadAttention(8, 2, context_dim=6),
            lambda m: m(torch.randn(1, 3, 8), torch.randn(2, 3, 6)),
            ShapeError,
            r"\(1, k, 6\)",
        ),
        (
            lambda: MultiHeadAttention(8, 2, context_dim=6, value_dim=5),
            lambda m: m(torch.randn(1, 3, 8), torch.randn(1, 3, 6)),
            ShapeError,
            r"values= \(b, k, 5\): found none",
        ),
        (
            lambda: MultiHeadAttention(8, 2),
            lambda m: m(torch.randn(1, 3, 8), values=torch.randn(1, 4, 8)),
            ShapeError,
            "read from one length",
        ),
        (
            lambda: MultiHeadAttention(8, 2, transposed=True),
            lambda m: m(torch.randn(1, 3, 8), torch.randn(1, 4, 8)),
            ShapeError,
            "as long as x",
        ),
        (lambda: MultiHeadAttention(8, 2, memory=3), lambda m: m(*torch.randn(2, 1, 3, 8)), Unsupported, "learned slots"),
        (lambda: MultiHeadAttention(8, 2), lambda m: m(torch.randn(1, 3, 8), mask=torch.zeros(3, 3)), UsageError, "booleans"),
        (lambda: MultiHeadAttention(8, 2), lambda m: m(torch.randn(1, 3, 8), mask=torch.ones(4, 4).bool()), ShapeError, "4"),
    ],
)
def test_what_does_not_fit_is_refused(layer, call, error, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=said):
        call(layer())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory": 3, "mask": "causal"}, "leave mask= and position= out"),
        ({"memory": 3, "position": RoPE()}, "leave mask= and position= out"),
        ({"transposed": True, "kv_heads": 1}, "transposed=True"),
        ({"score": "scaled_dto"}, "did you mean 'scaled_dot'"),
        ({"mask": "casual"}, "did you mean 'causal'"),
        ({"position": "roppe"}, "did you mean 'rope'"),
        ({"weighting": "sofmax"}, "did you mean 'softmax'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MultiHeadAttention(8, 2, **options)  # type: ignore[arg-type]
