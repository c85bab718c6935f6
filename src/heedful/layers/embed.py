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

    >>> import torch
    >>> tokens = TokenEmbedding(vocabulary=10, dim=4)
    >>> x = tokens(torch.tensor([[1, 2, 3]]))
    >>> x.shape, tokens.logits(x).shape
    (torch.Size([1, 3, 4]), torch.Size([1, 3, 10]))
    """

    def __init__(self, vocabulary: int, dim: int, padding: int | None = None, pace: float = 1.0) -> None:
        super().__init__()
        if vocabulary < 1 or (padding is not None and not 0 <= padding < vocabulary):
            raise UsageError(f"TokenEmbedding needs one token or more, and a padding token among them: found {vocabulary}, {padding}")
        self.padding, self.pace = padding, pace
        self.weight = nn.Parameter(torch.randn(vocabulary, dim) * (0.02 / pace))
        if padding is not None:
            self.weight.data[padding] = 0.0

    def forward(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
        """The rows of the tokens; torch raises IndexError for a token that is not in the vocabulary."""
        rows = embedding(ids, self.weight, self.padding)
        return rows if self.pace == 1.0 else rows * self.pace

    def logits(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t vocabulary"]:
        """How well each token fits each place of the stream."""
        return linear(x, self.weight if self.pace == 1.0 else self.weight * self.pace)

    def extra_repr(self) -> str:
        """Its sizes, for the printed model."""
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}"
