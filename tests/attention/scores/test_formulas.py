"""Every score against its formula, one pair of query and key at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import heedful
from heedful.errors import ShapeError, UsageError
from heedful.scores import SCORES, Additive, Biased, Concat, ContentBiased, Cosine, Dot, General, QueryBiased, ScaledDot, Score

B, H, G, Q, K, D = 2, 4, 2, 3, 5, 6


def drawn(score: Score) -> Score:
    """The score in float64 with every parameter random: tables that start at zero would prove nothing."""
    score = score.double()
    for parameter in score.parameters():
        torch.nn.init.normal_(parameter)
    return score


def by_pairs(of_pair: Callable[[int, int, int, int, Tensor, Tensor], Tensor], q: Tensor, k: Tensor) -> Tensor:
    """Scores (b, h, q, k) from a function of (b, h, i, j, q_i, k_j)."""
    out = torch.empty(q.shape[0], q.shape[1], q.shape[2], k.shape[2], dtype=q.dtype)
    for b, h, i, j in torch.cartesian_prod(*(torch.arange(n) for n in out.shape)).tolist():
        out[b, h, i, j] = of_pair(b, h, i, j, q[b, h, i], k[b, h // (q.shape[1] // k.shape[1]), j])
    return out


def pair(name: str, score: Score) -> Callable[[int, int, int, int, Tensor, Tensor], Tensor]:
    """The formula of each score as its source writes it."""
    p = dict(score.named_parameters())
    at = K - Q  # query i stands at position i + at
    table: dict[str, Callable[[int, int, int, int, Tensor, Tensor], Tensor]] = {
        "dot": lambda b, h, i, j, x, y: x @ y,
        "scaled_dot": lambda b, h, i, j, x, y: x @ y / math.sqrt(D),
        "cosine": lambda b, h, i, j, x, y: x @ y / (x.norm() * y.norm()),
        "cosine learnable": lambda b, h, i, j, x, y: x @ y / (x.norm() * y.norm()) * p["log_scale"][h, 0, 0].exp(),
        "general": lambda b, h, i, j, x, y: x @ p["weight"][h] @ y,
        "general shared": lambda b, h, i, j, x, y: x @ p["weight"][0] @ y,
        "additive": lambda b, h, i, j, x, y: p["weight"][h] @ torch.tanh(x @ p["query"][h] + y @ p["key"][h]),
        "concat": lambda b, h, i, j, x, y: p["v"][h] @ torch.tanh(torch.cat([x, y]) @ p["weight"][h]),
        "biased": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + p["table"][h, i + at, j],
        "biased sliced": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + p["table"][h, i, j],
        "biased relative": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + p["table"][h, max(-2, min(2, i + at - j)) + 2],
        "query_biased": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + x @ p["weight"][h, :, j],
        "query_biased relative": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + x @ p["weight"][h, :, max(-2, min(2, i + at - j)) + 2],
        "content_biased": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + p["v"][h] @ (y @ p["embedding"]),
        "content_biased tokens": lambda b, h, i, j, x, y: x @ y / math.sqrt(D) + p["v"][h] @ p["embedding"][(b + 2 * j) % 11],
    }
    return table[name]


FORMS: dict[str, Callable[[], Score]] = {
    "dot": Dot,
    "scaled_dot": ScaledDot,
    "cosine": Cosine,
    "cosine learnable": lambda: Cosine(learnable=True, heads=H),
    "general": lambda: General(D, D, H),
    "general shared": lambda: General(D, D, H, shared=True),
    "additive": lambda: Additive(D, D, 7, H),
    "concat": lambda: Concat(D, D, 7, H),
    "biased": lambda: Biased(H, 8, 8),
    "biased sliced": lambda: Biased(H, 8, 9),
    "biased relative": lambda: Biased(H, radius=2),
    "query_biased": lambda: QueryBiased(D, 8, H),
    "query_biased relative": lambda: QueryBiased(D, heads=H, radius=2),
    "content_biased": lambda: ContentBiased(D, H, 5),
    "content_biased tokens": lambda: ContentBiased(D, H, 5, vocabulary=11),
}


def built(name: str) -> Score:
    score = drawn(FORMS[name]())
    if name == "content_biased tokens":
        assert isinstance(score, ContentBiased)
        return score.at((torch.arange(B)[:, None] + 2 * torch.arange(K)[None, :]) % 11)
    return score


@pytest.mark.parametrize("name", FORMS)
def test_formula(name: str) -> None:
    q, k = torch.randn(B, H, Q, D).double(), torch.randn(B, G, K, D).double()
    score = built(name)
    expected = by_pairs(pair(name, score), q, k)
    scale = score.default_scale(D)
    torch.testing.assert_close(score(q, k, scale), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", [name for name in FORMS if FORMS[name]().is_dot])
def test_as_dot_is_the_same_score(name: str) -> None:
    q, k = torch.randn(B, H, Q, D).double(), torch.randn(B, G, K, D).double()
    score = built(name)
    at = score.as_dot(q, k)
    assert at is not None
    rebuilt = 0.3 * (at.q @ at.k.repeat_interleave(H // G, 1).mT) + (0 if at.bias is None else at.bias)
    torch.testing.assert_close(rebuilt, score(q, k, 0.3), atol=1e-12, rtol=0)


def test_every_row_of_the_table_is_tested() -> None:
    assert {row.name for row in SCORES} == {name.split()[0] for name in FORMS}
    assert all(row.formula and row.source and row.cost for row in SCORES)


def test_token_bias_does_not_collapse_into_the_keys() -> None:
    """Two keys alike that stand for different tokens score differently; embedded keys cannot do that."""
    score = drawn(ContentBiased(D, H, vocabulary=3))
    assert isinstance(score, ContentBiased)
    q, k = torch.randn(1, H, 1, D).double(), torch.randn(1, H, 1, D).double().expand(1, H, 2, D)
    scores = score.at(torch.tensor([[0, 1]]))(q, k, 1.0)
    assert not torch.allclose(scores[..., 0], scores[..., 1])


def test_content_bias_on_keys_equals_a_shifted_query() -> None:
    """v · (K W_s) = (W_s v) · k: the score of the query q + u, Transformer-XL's term."""
    score = drawn(ContentBiased(D, H))
    q, k = torch.randn(1, H, 2, D).double(), torch.randn(1, H, 4, D).double()
    p = dict(score.named_parameters())
    u = torch.einsum("de,he->hd", p["embedding"], p["v"])
    torch.testing.assert_close(score(q, k, 1.0), (q + u[None, :, None]) @ k.mT, atol=1e-12, rtol=0)


def test_biased_by_keys_alone_would_not_cancel_but_by_queries_alone_does() -> None:
    score = drawn(Biased(H, Q, Q))
    q = torch.randn(1, H, Q, D).double()
    with torch.no_grad():
        dict(score.named_parameters())["table"].copy_(torch.randn(H, Q, 1).double().expand(H, Q, Q))
    torch.testing.assert_close(heedful.attend(q, q, q, score=score), heedful.attend(q, q, q))


def test_residual_adds_the_query() -> None:
    q, k = torch.randn(1, H, Q, D).double(), torch.randn(1, H, K, D).double()
    score = QueryBiased(D, K, H, residual=True).double()
    torch.testing.assert_close(heedful.attend(q, k, k, score=score), heedful.attend(q, k, k) + q)
    with pytest.raises(ShapeError, match="residual=True adds q to the output"):
        heedful.attend(q, k, k[..., :2], score=score)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Biased(H, max_q=4), "takes max_q and max_k, or radius"),
        (lambda: QueryBiased(D), "takes max_k or radius"),
        (lambda: Cosine(heads=3), "learnable=False"),
        (lambda: ContentBiased(D, H).at(torch.zeros(1, 2, dtype=torch.long)), "vocabulary=V"),
    ],
)
def test_options_that_do_not_fit_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (General(D + 1, D, H), "made for queries 7 wide"),
        (Additive(D, D, 4, H + 1), "made for 5 heads"),
        (Biased(H, 4, 4), "holds 4 query and 4 key positions"),
        (QueryBiased(D, 4, H), "holds .* 4 key positions"),
        (ContentBiased(D, H, vocabulary=4), "score.at"),
    ],
)
def test_calls_that_do_not_fit_are_refused(score: Score, message: str) -> None:
    q, k = torch.randn(1, H, Q, D), torch.randn(1, G, K, D)
    with pytest.raises(UsageError, match=message):
        heedful.attend(q, k, k, score=score)


@pytest.mark.parametrize("name", ["general", "additive", "concat", "biased", "query_biased", "content_biased"])
def test_a_parametric_score_by_name_is_refused_naming_its_class(name: str) -> None:
    q = torch.randn(1, H, Q, D)
    kind = next(row.kind.__name__ for row in SCORES if row.name == name)
    with pytest.raises(UsageError, match=kind):
        heedful.attend(q, q, q, score=name)


def test_queries_and_keys_of_different_width() -> None:
    q, k, v = torch.randn(1, H, Q, 4), torch.randn(1, G, K, 6), torch.randn(1, G, K, 3)
    assert heedful.attend(q, k, v, score=General(4, 6, H)).shape == (1, H, Q, 3)
    with pytest.raises(ShapeError, match="one width"):
        heedful.attend(q, k, v)
