"""How a recurrent state reads a memory: any score of the catalogue, or weights for every channel of their own."""

from __future__ import annotations

from typing import final

from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.attention.mechanism import Shape, create
from heedful.attention.scores.concat import Concat
from heedful.attention.scores.score import Score
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.softmax import Softmax
from heedful.errors import ShapeError
from heedful.layers.crossmodal import keys

SIZED = ("general", "additive", "concat")  # scores that take queries and keys of different widths


@final
class Reader(nn.Module):
    """States (b, q, n) read a memory (b, t, m): context (b, q, m) and weights (b, q, t), or (b, q, t, m) `per_channel`.

    `per_channel` is the fourth source article's reading: softmax over t of tanh(W [h ; e_t]), not reduced to one score.

    >>> import torch
    >>> states, memory = torch.randn(2, 3, 8), torch.randn(2, 5, 6)
    >>> context, weights = Reader(8, 6, "additive")(states, memory)
    >>> context.shape, weights.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 3, 5]))
    >>> Reader(8, 6, "per_channel")(states, memory)[1].shape
    torch.Size([2, 3, 5, 6])

    Arguments:
        query_dim, memory_dim: the widths n and m; equal for the scores dot, scaled_dot and cosine.
        score: a name or an instance from `heedful.scores`, or "per_channel".
        hidden: units of the scores additive and concat; m unless given.

    Errors: `ShapeError` for a memory or mask of another width, length or batch; `UsageError` for an unknown score.
    """

    def __init__(self, query_dim: int, memory_dim: int, score: Score | str = "additive", hidden: int | None = None) -> None:
        super().__init__()
        self.query_dim, self.memory_dim = query_dim, memory_dim
        self.channels = Concat(query_dim, memory_dim, hidden=memory_dim, heads=1) if score == "per_channel" else None
        if self.channels is not None:
            self.channels.v.requires_grad_(False)  # what would reduce the channels is not used
        self.score = None if score == "per_channel" else score_for(score, query_dim, memory_dim, hidden)

    def forward(
        self, states: Float[Tensor, "b q n"], memory: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None = None
    ) -> tuple[Float[Tensor, "b q m"], Float[Tensor, "b q t ..."]]:
        """What each state reads, and how; `real` says which places of the memory are not padding."""
        check_memory(self, states, memory, real)
        q, k = rearrange(states, "b q n -> b 1 q n"), rearrange(memory, "b t m -> b 1 t m")
        if self.score is None:
            return self.by_channel(q, k, real)
        out, weights = attend(q, k, k, score=self.score, mask=keys(real), return_weights=True)
        return rearrange(out, "b 1 q m -> b q m"), rearrange(weights, "b 1 q t -> b q t")

    def by_channel(self, q: Tensor, k: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor]:
        """Σ_t softmax_t(tanh(W [h ; e_t])) ⊙ e_t."""
        assert self.channels is not None
        scores = rearrange(self.channels.hidden(q, k), "b 1 q t m -> b q m t")
        if real is not None:
            scores = scores.masked_fill(~rearrange(real, "b t -> b 1 1 t"), float("-inf"))
        weights = rearrange(Softmax()(scores), "b q m t -> b q t m")
        return einsum(weights, k, "b q t m, b one t m -> b q m"), weights


def score_for(score: Score | str, query_dim: int, memory_dim: int, hidden: int | None) -> Score:
    """The score itself, or the row of that name for these widths."""
    if isinstance(score, Score):
        return score
    sizes = {"d_q": query_dim, "d_k": memory_dim} if score in SIZED else {}
    units = {"hidden": hidden} if hidden is not None and score in ("additive", "concat") else {}
    return create("score", SCORES, score, Shape(heads=1, kv_heads=1, d=memory_dim, q=1, k=1), {**sizes, **units})


def check_memory(reader: Reader, states: Tensor, memory: Tensor, real: Tensor | None) -> None:
    """Refuse tensors that do not fit the reader or each other."""
    if states.shape[-1] != reader.query_dim or memory.dim() != 3 or memory.shape[-1] != reader.memory_dim or len(memory) != len(states):
        wanted = f"states (b, q, {reader.query_dim}) and a memory (b, t, {reader.memory_dim})"
        raise ShapeError(f"this layer takes {wanted}: found {tuple(states.shape)} and {tuple(memory.shape)}")
    if real is not None and real.shape != memory.shape[:2]:
        raise ShapeError(f"real is (b, t), True where the memory is not padding: found {tuple(real.shape)} for {tuple(memory.shape)}")
