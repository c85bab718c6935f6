"""The one door: `attend` computes every mechanism of the catalogue, and `why` says which backend can serve a call.

    attend(Q, K, V) = dropout(weighting(mask(softcap(score(Q, K) · scale / temperature) + bias + position))) V

The worked examples of the mission's articles:

>>> import torch, heedful
>>> q = torch.eye(4).reshape(1, 1, 4, 4)
>>> out, weights = heedful.attend(q, q.flip(2), torch.zeros(1, 1, 4, 4), return_weights=True)
>>> [[round(w, 4) for w in row] for row in weights[0, 0].tolist()]  # .3547 = e^½ / (e^½ + 3) on the anti-diagonal
[[0.2151, 0.2151, 0.2151, 0.3547], [0.2151, 0.2151, 0.3547, 0.2151], [0.2151, 0.3547, 0.2151, 0.2151], [0.3547, 0.2151, 0.2151, 0.2151]]
>>> bool((out == 0).all())
True
>>> x = torch.randn(1, 1, 3, 8)  # three elements: A = softmax(QKᵀ/√d), X′ = A V, rows of A sum to one
>>> out, a = heedful.attend(x, x, x, return_weights=True)
>>> bool(torch.allclose(a, (x @ x.mT / 8**0.5).softmax(-1)) and torch.allclose(out, a @ x) and torch.allclose(a.sum(-1), torch.ones(3)))
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack, overload

from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.backends.dispatch import serve
from heedful.attention.call import Call, Result
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options, resolve
from heedful.attention.scores.score import Score
from heedful.attention.select import Select
from heedful.attention.summary import Summary
from heedful.attention.weightings.weighting import Weighting


@overload
def attend(  # type: ignore[overload-overlap]  # an empty tuple is a sequence of names too; it stands first
    q: Tensor, k: Tensor, v: Tensor, *, return_weights: Literal[False] = ..., summaries: tuple[()] = ..., **options: Unpack[Options]
) -> Tensor: ...
@overload
def attend(  # type: ignore[overload-overlap]
    q: Tensor, k: Tensor, v: Tensor, *, return_weights: Literal[True] | Select, summaries: tuple[()] = ..., **options: Unpack[Options]
) -> tuple[Tensor, Tensor]: ...
@overload
def attend(
    q: Tensor, k: Tensor, v: Tensor, *, return_weights: Literal[False] = ..., summaries: Sequence[str], **options: Unpack[Options]
) -> tuple[Tensor, Summary]: ...
@overload
def attend(
    q: Tensor, k: Tensor, v: Tensor, *, return_weights: Literal[True] | Select, summaries: Sequence[str], **options: Unpack[Options]
) -> tuple[Tensor, Tensor, Summary]: ...
def attend(
    q: Float[Tensor, "b h q d"],
    k: Float[Tensor, "b g k d"],
    v: Float[Tensor, "b g k v"],
    *,
    score: str | Score = "scaled_dot",
    mask: Mask | Bool[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
    position: str | Position | None = None,
    weighting: str | Weighting = "softmax",
    scale: float | Tensor | None = None,
    softcap: float | None = None,
    sink_logits: Float[Tensor, " h"] | None = None,
    temperature: float | Tensor | None = None,
    dropout: float = 0.0,
    seed: int | None = None,
    return_weights: bool | Select = False,
    summaries: Sequence[str] = (),
    backend: str = "auto",
) -> Float[Tensor, "b h q v"] | tuple[Tensor, Tensor] | tuple[Tensor, Summary] | tuple[Tensor, Tensor, Summary]:
    """Attention of every published kind: q (b, h, q, d), k (b, g, k, d), v (b, g, k, v) -> (b, h, q, v).

    >>> import torch, heedful
    >>> q, k, v = torch.randn(2, 8, 5, 16), torch.randn(2, 2, 7, 16), torch.randn(2, 2, 7, 32)
    >>> heedful.attend(q, k, v, mask=heedful.masks.Causal()).shape  # query head i reads key/value head i // 4
    torch.Size([2, 8, 5, 32])
    >>> out, weights = heedful.attend(q, k, v, score="cosine", weighting="sparsemax", return_weights=True)
    >>> weights.shape
    torch.Size([2, 8, 5, 7])

    Arguments:
        score: a name, or an instance from `heedful.scores` (one with parameters must be an instance).
        mask: from `heedful.masks`, or booleans that broadcast to (b, h, q, k); True means "may attend". A query that may
            attend to nothing gets zero output, weights and gradients.
        bias: added to the scores, after the softcap; broadcasts to (b, h, q, k).
        position: a name or an instance from `heedful.positions`; the last query stands at the last key.
        weighting: a name or an instance from `heedful.weightings`.
        scale: the factor on the score; by default the score's own (1/√d for scaled dot, 1 for dot).
        softcap: c in c tanh(score / c).
        sink_logits: (h,), one more logit in each row's softmax that takes weight and gives nothing.
        temperature: divides the score; one number, or one for each head (h,).
        dropout: the share of weights dropped; with a `seed`, the same weights each time, on every backend.
        return_weights: True, or a `Select`, for (out, weights), weights (b, h, q, k) before dropout.
        summaries: any of entropy, distance, sinks, topk, columns, lse, for (out, Summary); after the weights where both.
        backend: "auto", or a name from the table; one that cannot serve the call raises `Unsupported` with its reason.

    Errors: `ShapeError` for sizes that do not fit, `UsageError` for unknown names and values out of range.
    Source: Vaswani et al. 2017, arXiv 1706.03762, and the source of each row (`heedful mechanisms`).
    """
    options: Options = {
        "score": score,
        "mask": mask,
        "bias": bias,
        "position": position,
        "weighting": weighting,
        "scale": scale,
        "softcap": softcap,
        "sink_logits": sink_logits,
        "temperature": temperature,
        "dropout": dropout,
        "seed": seed,
    }
    call = resolve(q, k, v, options, return_weights, summaries)
    return given(serve(call, backend), call)


def given(result: Result, call: Call) -> Tensor | tuple[Tensor, Tensor] | tuple[Tensor, Summary] | tuple[Tensor, Tensor, Summary]:
    """The output alone, or followed by what else was asked for."""
    if result.weights is not None and result.summary is not None:
        return result.out, result.weights, result.summary
    if result.weights is not None:
        return result.out, result.weights
    return result.out if result.summary is None else (result.out, result.summary)
