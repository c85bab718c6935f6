"""Tokens into a stream and back into scores over tokens, by one matrix where they are tied (Press & Wolf 2017, arXiv 1608.05859)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding, linear

from heedful.errors import UsageError


@final
class TokenEmbedding(nn.Module):
    """A row of `dim` numbers for each of `vocabulary` tokens; `logits` reads the same matrix the other way.

    Starts as N(0, 0.02²), so that tied logits start near zero. `padding` is a token whose row is zero and gets no gradient. Rows are kept
    divided by `pace`, so that an optimiser that steps by a fixed length, as Adam does, moves them `pace` times as far as other weights.
    The last `still` rows are never learnt: tokens that no text to learn from has cost no optimiser's step.

    >>> import torch
    >>> tokens = TokenEmbedding(vocabulary=10, dim=4)
    >>> x = tokens(torch.tensor([[1, 2, 3]]))
    >>> x.shape, tokens.logits(x).shape
    (torch.Size([1, 3, 4]), torch.Size([1, 3, 10]))
    """

    kept: Tensor | None

    def __init__(self, vocabulary: int, dim: int, padding: int | None = None, pace: float = 1.0, still: int = 0) -> None:
        super().__init__()
        if not 0 <= still < max(vocabulary, 1):
            raise UsageError(f"TokenEmbedding keeps {still} of {vocabulary} rows as they are: 0 or more, and fewer than all, would work")
        if vocabulary < 1 or (padding is not None and not 0 <= padding < vocabulary):
            raise UsageError(f"TokenEmbedding needs one token or more, and a padding token among them: found {vocabulary}, {padding}")
        self.padding, self.pace = padding, pace
        self.weight = nn.Parameter(torch.randn(vocabulary - still, dim) * (0.02 / pace))
        self.register_buffer("kept", torch.zeros(still, dim) if still else None)
        if padding is not None:
            self.weight.data[padding] = 0.0

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
        """The rows of the tokens; torch raises IndexError for a token that is not in the vocabulary."""
        if self.kept is not None:
            return self.partly_still(ids, self.kept)
        rows = embedding(ids, self.weight, self.padding)
        return rows if self.pace == 1.0 else rows * self.pace

    def partly_still(self, ids: Int[Tensor, "b t"], kept: Float[Tensor, "s m"]) -> Float[Tensor, "b t m"]:
        """The rows of tokens some of which are never learnt."""
        learnt = len(self.weight)
        rows = embedding(ids.clamp(max=learnt - 1), self.weight, self.padding) * self.pace
        return torch.where((ids < learnt).unsqueeze(-1), rows, embedding((ids - learnt).clamp(min=0), kept))

    def logits(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t vocabulary"]:
        """How well each token fits each place of the stream."""
        rows = self.weight if self.pace == 1.0 else self.weight * self.pace
        return linear(x, rows if self.kept is None else torch.cat([rows, self.kept]))

    @torch.no_grad()
    def begin(self, places: Int[Tensor, " n"], rows: Float[Tensor, "n m"]) -> None:
        """Let the rows at `places` give `rows`, whatever their pace."""
        learnt = places < len(self.weight)
        self.weight[places[learnt]] = rows[learnt].to(self.weight) / self.pace
        if self.kept is not None:
            self.kept[places[~learnt] - len(self.weight)] = rows[~learnt].to(self.kept)

    @property
    def size(self) -> int:
        """Of the vocabulary: the rows that are learnt and those that are not."""
        return len(self.weight) + (0 if self.kept is None else len(self.kept))

    def extra_repr(self) -> str:
        """Its sizes, for the printed model."""
        still = "" if self.kept is None else f", {len(self.kept)} still"
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}{still}"
