"""Two modalities that attend to each other: co-attention (Lu et al. 2019, ViLBERT, arXiv 1908.02265, §3.1)."""

from __future__ import annotations

from typing import final

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.masks.dense import Dense
from heedful.errors import ShapeError
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm as normed
from heedful.layers.trace import Trace


@final
class CrossModalAttention(nn.Module):
    """a (b, s, n) reads b (b, t, m) and b reads a, both as they came in: each comes out as it was plus what it read.

    >>> import torch
    >>> words, image = torch.randn(2, 5, 32), torch.randn(2, 9, 48)
    >>> layer = CrossModalAttention(32, 48, heads=4)
    >>> words, image, traces = layer(words, image, trace=True)
    >>> words.shape, image.shape, traces[0].weights.shape
    (torch.Size([2, 5, 32]), torch.Size([2, 9, 48]), torch.Size([2, 4, 5, 9]))

    Arguments:
        a_dim, b_dim: the widths n and m of the two streams; `heads` divide both, or `head_dim` is given.
        norm: "rms" or "layer", before each is read. dropout: on the weights, in training.

    Errors: `ShapeError` for streams of other widths or batches, and for masks that do not fit them.
    """

    def __init__(
        self,
        a_dim: int,
        b_dim: int,
        heads: int,
        *,
        head_dim: int | None = None,
        norm: str = "layer",
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.a_reads = MultiHeadAttention(a_dim, heads, head_dim=head_dim, context_dim=b_dim, bias=bias, dropout=dropout)
        self.b_reads = MultiHeadAttention(b_dim, heads, head_dim=head_dim, context_dim=a_dim, bias=bias, dropout=dropout)
        self.a_norm, self.b_norm = normed(norm, a_dim), normed(norm, b_dim)

    def forward(
        self,
        a: Float[Tensor, "b s n"],
        b: Float[Tensor, "b t m"],
        *,
        a_real: Bool[Tensor, "b s"] | None = None,
        b_real: Bool[Tensor, "b t"] | None = None,
        trace: bool = False,
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, tuple[Trace, Trace]]:
        """Both streams, and with `trace` the weights of a over b and of b over a; `a_real`, `b_real`: which are not padding."""
        check_real("a_real", a_real, a)
        check_real("b_real", b_real, b)
        x, y = self.a_norm(a), self.b_norm(b)
        if not trace:
            return a + self.a_reads(x, y, mask=keys(b_real)), b + self.b_reads(y, x, mask=keys(a_real))
        of_a, a_seen = self.a_reads(x, y, mask=keys(b_real), trace=True)
        of_b, b_seen = self.b_reads(y, x, mask=keys(a_real), trace=True)
        return a + of_a, b + of_b, (Trace(a_seen.weights, "a reads b"), Trace(b_seen.weights, "b reads a"))


def keys(real: Bool[Tensor, "b k"] | None) -> Dense | None:
    """The mask that lets every query see the real keys."""
    return None if real is None else Dense(rearrange(real, "b k -> b 1 1 k"))


def check_real(name: str, real: Tensor | None, x: Tensor) -> None:
    """A padding mask for x (b, t, m) is (b, t)."""
    if real is not None and real.shape != x.shape[:2]:
        raise ShapeError(f"{name} is (b, t), True where it is not padding: found {tuple(real.shape)} for {tuple(x.shape)}")
