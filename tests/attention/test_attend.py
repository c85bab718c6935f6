"""What `attend` returns, in which order it does things, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import heedful
from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.masks import Causal, Window


def qkv(h: int = 4, g: int = 2, q: int = 5, k: int = 7, d: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(2, h, q, d).double(), torch.randn(2, g, k, d).double(), torch.randn(2, g, k, d).double()


def test_the_order_of_the_options() -> None:
    """score x scale / temperature -> softcap -> + bias -> mask -> weighting -> times values."""
    q, k, v = qkv(g=4)
    bias, allowed, hot = torch.randn(4, 5, 7).double(), torch.rand(5, 7) > 0.3, torch.rand(4).double() + 0.5
    scores = 1.5 * torch.tanh(q @ k.mT * 0.25 / hot[:, None, None] / 1.5) + bias
    weights = scores.masked_fill(~allowed, float("-inf")).softmax(-1).nan_to_num()
    out, found = heedful.attend(q, k, v, mask=allowed, bias=bias, scale=0.25, temperature=hot, softcap=1.5, return_weights=True)
    torch.testing.assert_close(found, weights)
    torch.testing.assert_close(out, weights @ v)


def test_sinks_take_weight_and_give_nothing() -> None:
    q, k, v = qkv(g=4)
    sinks = torch.randn(4).double()
    out, weights = heedful.attend(q, k, v, sink_logits=sinks, return_weights=True)
    exp = (q @ k.mT / 8**0.5).exp()
    expected = exp / (exp.sum(-1, keepdim=True) + sinks.exp()[:, None, None])
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(out, expected @ v)
    assert (weights.sum(-1) < 1).all()


def test_what_comes_back() -> None:
    q, k, v = qkv()
    assert isinstance(heedful.attend(q, k, v), torch.Tensor)
    out, weights = heedful.attend(q, k, v, return_weights=True)
    assert out.shape == (2, 4, 5, 8)
    assert weights.shape == (2, 4, 5, 7)
    out, some = heedful.attend(q, k, v, return_weights=heedful.Select(heads=[1, -1], queries=[0]))
    assert torch.equal(some, weights[:, [1, 3]][:, :, [0]])
    _, summary = heedful.attend(q, k, v, summaries=("entropy",))
    assert summary.lse is None
    both = heedful.attend(q, k, v, return_weights=True, summaries=("lse",))
    assert len(both) == 3


def test_weights_are_given_before_dropout() -> None:
    q, k, v = qkv()
    for backend in ("tiled", "naive"):
        plain = heedful.attend(q, k, v, return_weights=True, backend=backend)[1]
        out, weights = heedful.attend(q, k, v, dropout=0.5, seed=1, return_weights=True, backend=backend)
        assert torch.equal(plain, weights)
        assert not torch.allclose(out, heedful.attend(q, k, v))


def test_dropout_is_drawn_from_the_seed() -> None:
    q, k, v = (torch.ones(2, 2, 64, 4), torch.ones(2, 2, 64, 4), torch.eye(64).expand(2, 2, 64, 64))
    first, again, other = (heedful.attend(q, k, v, dropout=0.25, seed=s) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    kept = (first > 0).double().mean().item()
    assert abs(kept - 0.75) < 0.02
    torch.testing.assert_close(first[first > 0], torch.full_like(first[first > 0], 1 / 64 / 0.75))
    assert (first == 0).any(-1).all(), "each row is drawn"
    assert not torch.equal(first[0] > 0, first[1] > 0), "each batch entry is drawn anew"
    assert heedful.attend(q, k, v, dropout=1.0, seed=1).abs().sum() == 0


def test_summaries_are_those_of_the_weights() -> None:
    q, k, v = qkv(q=7)
    _, weights, s = heedful.attend(
        q, k, v, mask=Causal(), return_weights=True, summaries=("entropy", "distance", "sinks", "topk", "columns", "lse")
    )
    torch.testing.assert_close(s.entropy, -(weights * weights.clamp_min(1e-300).log()).sum(-1))
    torch.testing.assert_close(s.sinks, weights[..., :4].sum(-1))
    torch.testing.assert_close(s.columns, weights.sum(-2))
    buckets = torch.zeros(2, 4, 4).double()
    for i in range(7):
        for j in range(7):
            buckets[:, :, 0 if i == j else abs(i - j).bit_length()] += weights[:, :, i, j]
    torch.testing.assert_close(s.distance, buckets)
    assert s.topk is not None
    torch.testing.assert_close(weights.gather(-1, s.topk[1]), s.topk[0])
    scores = (q @ k.repeat_interleave(2, 1).mT / 8**0.5).masked_fill(torch.ones(7, 7).triu(1).bool(), float("-inf"))
    torch.testing.assert_close(s.lse, scores.logsumexp(-1))


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"score": "scaled_dto"}, UsageError, "did you mean 'scaled_dot'"),
        ({"weighting": "softmx"}, UsageError, "did you mean 'softmax'"),
        ({"position": "rop"}, UsageError, "did you mean 'rope'"),
        ({"backend": "naif"}, UsageError, "did you mean 'naive'"),
        ({"backend": "sdpa", "softcap": 3.0}, Unsupported, "no softcap; .*naive would work"),
        ({"backend": "sdpa", "return_weights": True}, Unsupported, "no weights"),
        ({"mask": torch.ones(5, 7)}, UsageError, "bias="),
        ({"mask": torch.ones(5, 6, dtype=torch.bool)}, ShapeError, "6"),
        ({"bias": torch.ones(6, 7)}, ShapeError, "broadcast"),
        ({"bias": torch.ones(5, 7, dtype=torch.bool)}, UsageError, "mask= takes those"),
        ({"softcap": -1.0}, UsageError, "above 0"),
        ({"temperature": 0.0}, UsageError, "above 0"),
        ({"temperature": torch.ones(3)}, ShapeError, "each of 4 heads"),
        ({"dropout": 1.5}, UsageError, "between 0 and 1"),
        ({"sink_logits": torch.zeros(2)}, ShapeError, "each of 4 heads"),
        ({"sink_logits": torch.zeros(4), "weighting": "sigmoid"}, Unsupported, "do not sum to one"),
        ({"summaries": ("entropi",)}, UsageError, "did you mean 'entropy'"),
        ({"summaries": "entropy"}, UsageError, "sequence"),
        ({"summaries": ("lse",), "weighting": "sparsemax"}, Unsupported, "denominator"),
        ({"return_weights": heedful.Select(heads=[4])}, ShapeError, "index 4"),
    ],
)
def test_refused(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    q, k, v = qkv()
    with pytest.raises(kind, match=message):
        heedful.attend(q, k, v, **options)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (((2, 4, 5), (2, 4, 5, 8), (2, 4, 5, 8)), "takes q"),
        (((2, 4, 5, 8), (3, 4, 5, 8), (3, 4, 5, 8)), "same batch"),
        (((2, 4, 5, 8), (2, 3, 5, 8), (2, 3, 5, 8)), "multiple"),
        (((2, 4, 5, 8), (2, 4, 5, 8), (2, 4, 6, 8)), "same heads and length"),
        (((2, 4, 5, 8), (2, 4, 5, 6), (2, 4, 5, 8)), "one width"),
    ],
)
def test_shapes_that_do_not_fit(sizes: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        heedful.attend(*(torch.zeros(size) for size in sizes))


def test_types_that_do_not_fit() -> None:
    q, k, v = qkv()
    with pytest.raises(UsageError, match="one floating-point type"):
        heedful.attend(q, k.float(), v)


def test_no_keys_at_all_gives_zeros() -> None:
    q, k, v = qkv(k=0)
    assert torch.equal(heedful.attend(q, k, v), torch.zeros(2, 4, 5, 8).double())


def test_a_region_names_the_backend() -> None:
    q, k, v = qkv()
    with heedful.backend("sdpa"), pytest.raises(Unsupported, match="softcap"):
        heedful.attend(q, k, v, softcap=1.0)
    with heedful.backend("naive"):
        assert [r.backend for r in heedful.why(q, k, v) if r.chosen] == ["naive"]
        assert [r.backend for r in heedful.why(q, k, v, backend="sdpa") if r.chosen] == ["sdpa"]
    assert [r.backend for r in heedful.why(q, k, v) if r.chosen] == ["sdpa"]
    with pytest.raises(UsageError, match="did you mean"), heedful.backend("naif"):
        pass


def test_why_gives_each_backend_its_word() -> None:
    q, k, v = qkv()
    words = heedful.why(q.repeat(1, 1, 9, 1), k, v, mask=Window(3), weighting="sparsemax")  # more queries than a step of generation has
    softmax = "it computes softmax only, not sparsemax"
    assert {w.backend: w.reason for w in words} == {
        "decode": "it serves 8 queries or fewer: there are 45",
        "varlen": "it serves Documents(ids), alone or & rules of distance such as Causal() and Window(n)",
        "sdpa": softmax,
        "banded": softmax,
        "tiled": softmax,
        "flex": softmax,
        "naive": None,
    }
    assert all((w.milliseconds is None) is (w.reason is not None) for w in words)
    assert "-> naive" in str(words)


def test_every_public_name_is_there() -> None:
    for name in heedful.__all__:
        assert getattr(heedful, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'attent'"):
        _ = heedful.attent
