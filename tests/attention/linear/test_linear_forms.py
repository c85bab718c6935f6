"""Every form of linear attention against the quadratic one, which is itself held to `attend` with a kernel for a score."""

from __future__ import annotations

from collections.abc import Callable

import jaxtyping
import pytest
import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.linear import chunked
from heedful.attention.linear.attention import CAUSAL_ONLY
from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.linear import Elu1, FeatureMap, Kernel, RandomFeatures, State, linear_attention, step
from heedful.masks import Causal, Dense

MAPS = [pytest.param(Elu1(), id="elu1"), pytest.param(RandomFeatures(d=6, features=10, seed=3).double(), id="random")]
FAST = [
    (form, causal) for form in ("auto", "parallel", "chunked", "recurrent") for causal in (False, True) if causal or form not in CAUSAL_ONLY
]
LENGTHS = [(7, 7), (1, 9), (3, 8), (8, 3), (1, 1), (130, 130), (0, 4), (4, 0)]


def tensors(queries: int, keys: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    drawn = (torch.randn(2, heads, length, width) for heads, length, width in [(4, queries, 6), (2, keys, 6), (2, keys, 5)])
    q, k, v = (x.to(dtype).requires_grad_() for x in drawn)
    return q, k, v


def same(found: Tensor, expected: Tensor, wanted: tuple[Tensor, ...]) -> None:
    """Equal outputs, and equal gradients in a random direction."""
    torch.testing.assert_close(found, expected)
    direction = torch.randn_like(expected)
    gradients = [
        torch.autograd.grad((out * direction).sum(), wanted, allow_unused=True, materialize_grads=True) for out in (found, expected)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("phi", MAPS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
def test_naive_equals_attend_with_a_kernel(phi: FeatureMap, causal: bool, queries: int, keys: int) -> None:
    q, k, v = tensors(queries, keys)
    expected = attend(q, k, v, score=Kernel(phi), weighting="normalise", mask=Causal() if causal else None)
    same(linear_attention(q, k, v, feature_map=phi, causal=causal, form="naive"), expected, (q, k, v))


@pytest.mark.parametrize("phi", MAPS)
@pytest.mark.parametrize(("form", "causal"), FAST)
@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
def test_every_form_equals_naive(phi: FeatureMap, form: str, causal: bool, queries: int, keys: int) -> None:
    q, k, v = tensors(queries, keys)
    expected, end = linear_attention(q, k, v, feature_map=phi, causal=causal, form="naive", return_state=True)
    found, state = linear_attention(q, k, v, feature_map=phi, causal=causal, form=form, return_state=True)
    same(found, expected, (q, k, v))
    torch.testing.assert_close((state.s, state.z), (end.s, end.z))


@pytest.mark.parametrize("rows", [1, 200, 600, 1 << 20])
@pytest.mark.parametrize(("queries", "keys"), [(300, 300), (257, 300), (300, 257)])
def test_chunks_by_heads_and_stretches_equal_naive(rows: int, queries: int, keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As few keys at once as may be, a head at a time, two heads, and all."""
    monkeypatch.setattr(chunked, "ROWS", rows)
    q, k, v = tensors(queries, keys)
    start = State(*(x.detach() for x in linear_attention(q, k, v, causal=True, return_state=True)[1]))
    expected, end = linear_attention(q, k, v, causal=True, form="naive", state=start, return_state=True)
    found, state = linear_attention(q, k, v, causal=True, form="chunked", state=start, return_state=True)
    same(found, expected, (q, k, v))
    torch.testing.assert_close((state.s, state.z), (end.s, end.z))


@pytest.mark.parametrize(("form", "causal"), [("naive", False), ("naive", True), *FAST])
def test_masked_keys_count_nothing_whatever_they_hold(form: str, causal: bool) -> None:
    q, k, v = tensors(9, 9)
    allowed = torch.rand(2, 9) > 0.4
    allowed[1, :4] = False
    mask = Dense(allowed[:, None, None]) & Causal() if causal else Dense(allowed[:, None, None])
    shut = ~allowed[:, None, :, None]
    spoilt_k, spoilt_v = k.masked_fill(shut, torch.nan), v.masked_fill(shut, torch.nan)
    for held in ((k, v), (spoilt_k, spoilt_v)):
        expected = attend(q, k, v, score=Kernel(), weighting="normalise", mask=mask)
        same(linear_attention(q, *held, causal=causal, key_mask=allowed, form=form), expected, (q, k, v))


@pytest.mark.parametrize(("form", "causal"), [("naive", False), ("naive", True), *FAST])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_query_with_no_keys_gets_zeros_and_no_gradient(form: str, causal: bool, dtype: torch.dtype) -> None:
    q, k, v = tensors(5, 5, dtype)
    allowed = torch.tensor([[False] * 5, [False, False, True, True, True]])
    out = linear_attention(q, k, v, causal=causal, key_mask=allowed, form=form)
    gradients = torch.autograd.grad((out * torch.randn_like(out)).sum(), (q, k, v))
    assert (out[0] == 0).all()
    assert (out[1, :, :2] == 0).all() == causal
    assert all((gradient[0] == 0).all() and torch.isfinite(gradient).all() for gradient in gradients)
    assert any((gradient[1] != 0).any() for gradient in gradients)


@pytest.mark.parametrize("phi", MAPS)
@pytest.mark.parametrize(("form", "causal"), [("naive", False), ("naive", True), *FAST])
def test_first_derivatives(phi: FeatureMap, form: str, causal: bool) -> None:
    q, k, v = (torch.randn(1, heads, 3, 6, dtype=torch.float64, requires_grad=True) for heads in (2, 1, 1))

    def run(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return linear_attention(q, k, v, feature_map=phi, causal=causal, form=form)

    assert torch.autograd.gradcheck(run, (q, k, v))


@pytest.mark.parametrize(("form", "causal"), FAST)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_lower_precision_errs_no_more_than_twice_naive_and_rounding(form: str, causal: bool, dtype: torch.dtype) -> None:
    q, k, v = tensors(200, 200, dtype)
    runs = [("naive", torch.float64), ("naive", dtype), (form, dtype)]
    results = []
    for name, precision in runs:
        inputs = tuple(x.detach().to(precision).requires_grad_() for x in (q, k, v))
        out = linear_attention(*inputs, causal=causal, form=name)
        results.append((out, *torch.autograd.grad(out.sum(), inputs)))
    for exact, naive, found in zip(*results, strict=True):
        rounding = 4 * torch.finfo(dtype).eps * exact.abs().amax().clamp(min=1.0)
        assert found.dtype == dtype
        assert (found.double() - exact).abs().amax() <= 2 * (naive.double() - exact).abs().amax() + rounding


@pytest.mark.parametrize("form", ["naive", "parallel", "chunked", "recurrent"])
@pytest.mark.parametrize("phi", MAPS)
def test_a_text_in_pieces_equals_the_text_whole(form: str, phi: FeatureMap) -> None:
    q, k, v = tensors(100, 100)
    expected = linear_attention(q, k, v, feature_map=phi, causal=True, form="naive")
    state, outs = None, []
    for piece in (slice(0, 70), slice(70, 71), slice(71, 100)):
        out, state = linear_attention(
            q[:, :, piece], k[:, :, piece], v[:, :, piece], feature_map=phi, causal=True, form=form, state=state, return_state=True
        )
        outs.append(out)
    same(torch.cat(outs, 2), expected, (q, k, v))


def test_steps_equal_the_whole_and_the_state_stays_wide() -> None:
    q, k, v = tensors(12, 12, torch.bfloat16)
    expected = linear_attention(q, k, v, causal=True, form="naive")
    state: State | None = None
    for t in range(12):
        out, state = step(q[:, :, t], k[:, :, t], v[:, :, t], state)
        torch.testing.assert_close(out, expected[:, :, t])
        assert state.s.dtype == state.z.dtype == torch.float32
        assert state.s.shape == (2, 2, 6, 5)


@pytest.mark.parametrize("form", ["naive", "parallel", "chunked", "recurrent"])
def test_causal_never_looks_ahead(form: str) -> None:
    q, k, v = (x.detach() for x in tensors(80, 80))
    before = linear_attention(q, k, v, causal=True, form=form)
    k[:, :, 66:], v[:, :, 66:] = 100 * torch.randn(2, 2, 14, 6), 100 * torch.randn(2, 2, 14, 5)
    torch.testing.assert_close(linear_attention(q, k, v, causal=True, form=form)[:, :, :66], before[:, :, :66])


@pytest.mark.parametrize("form", ["naive", "chunked"])
def test_autocast_keeps_the_sums_in_float32(form: str) -> None:
    q, k, v = tensors(70, 70, torch.float32)
    phi = RandomFeatures(d=6, features=16)
    with torch.autocast("cpu", torch.bfloat16):
        found = linear_attention(q, k, v, feature_map=phi, causal=True, form=form)
    torch.testing.assert_close(found, linear_attention(q, k, v, feature_map=phi, causal=True, form=form))


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the suite's own shape checks, which would speak before ours."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


X = torch.zeros(2, 4, 3, 6)
REFUSED: list[tuple[type[Exception], str, Callable[[], object]]] = [
    (UsageError, "unknown form of linear attention 'chunk': did you mean 'chunked'", lambda: linear_attention(X, X, X, form="chunk")),
    (Unsupported, "the chunked form .* 'parallel' or 'naive' would work", lambda: linear_attention(X, X, X, form="chunked")),
    (Unsupported, "the recurrent form .* is causal", lambda: linear_attention(X, X, X, form="recurrent")),
    (UsageError, "unknown feature map 'elu'", lambda: linear_attention(X, X, X, feature_map="elu")),
    (UsageError, r"heedful\.linear\.RandomFeatures\(d=", lambda: linear_attention(X, X, X, feature_map="performer")),
    (ShapeError, r"of one width, but q is \(2, 4, 3, 5\)", lambda: linear_attention(X[..., :5], X, X)),
    (ShapeError, "multiple of key/value heads", lambda: linear_attention(X, X[:, :3], X[:, :3])),
    (ShapeError, r"key_mask must be boolean, \(b, k\) = \(2, 3\).*float32", lambda: linear_attention(X, X, X, key_mask=torch.ones(2, 3))),
    (ShapeError, r"\(b, k\) = \(2, 3\).*\(3,\)", lambda: linear_attention(X, X, X, key_mask=torch.ones(3, dtype=torch.bool))),
    (
        ShapeError,
        r"the state given is s \(2, 4, 5, 6\)",
        lambda: linear_attention(X, X, X, state=State(torch.zeros(2, 4, 5, 6), torch.zeros(2, 4, 5))),
    ),
    (ShapeError, r"RandomFeatures\(d=8\) was given heads of width 6", lambda: RandomFeatures(d=8)(X)),
    (UsageError, "0 features: 1 or more", lambda: RandomFeatures(d=8, features=0)),
]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("kind", "says", "ask"), REFUSED)
def test_what_cannot_be_is_refused(kind: type[Exception], says: str, ask: Callable[[], object]) -> None:
    with pytest.raises(kind, match=says):
        ask()
