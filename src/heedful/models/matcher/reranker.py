"""A question read beside an entry, each of its words looking at the entry's (re-ranking: Nogueira & Cho 2019, arXiv 1901.04085)."""

from __future__ import annotations

from typing import NamedTuple, final

from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.masks.padding import Padding
from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm
from heedful.layers.pooling import AttentionPooling
from heedful.layers.trace import Trace
from heedful.models.start import draw
from heedful.spec.matcher import MatcherSpec


class States(NamedTuple):
    """The states of texts' words, and which are real."""

    x: Float[Tensor, "b t m"]
    real: Bool[Tensor, "b t"]


@final
class Reranker(nn.Module):
    """Layers of self and cross attention, an attention pooling, and one score of the pair.

    >>> import torch
    >>> reranker = Reranker(MatcherSpec(width=16, heads=2, rerank=1, hard=1)).eval()
    >>> question, entry = (States(torch.randn(3, t, 16), torch.ones(3, t, dtype=torch.bool)) for t in (4, 6))
    >>> scores, traces = reranker(question, entry, trace=True)
    >>> scores.shape, traces[0].weights.shape
    (torch.Size([3]), torch.Size([3, 2, 4, 6]))
    """

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__()
        self.layers = nn.ModuleList(pair_block(spec) for _ in range(spec.rerank))
        self.norm = norm("layer", spec.width, True)
        self.pool = AttentionPooling(spec.width)
        self.head = nn.Linear(spec.width, 1)
        draw(self.head.weight, self.head.bias, 0.02)

    def forward(self, question: States, entry: States, trace: bool = False) -> tuple[Float[Tensor, " b"], tuple[Trace, ...]]:
        """How well each question meets the entry in its row, and with `trace` what the question read of the entry."""
        x, traces = question.x, []
        mask, context_mask = Padding(question.real.sum(1)), Padding(entry.real.sum(1))
        for number, layer in enumerate(self.layers, start=1):
            if trace:
                x, seen = layer(x, entry.x, mask=mask, context_mask=context_mask, real=question.real, trace=True)
                traces.append(Trace(seen[-1].weights, f"layer {number}"))
            else:
                x = layer(x, entry.x, mask=mask, context_mask=context_mask, real=question.real)
        vector, _ = self.pool(self.norm(x), question.real)
        return self.head(vector).squeeze(-1), tuple(traces)


def pair_block(spec: MatcherSpec) -> TransformerBlock:
    """One layer: the question reads itself, then the entry."""
    return TransformerBlock(
        MultiHeadAttention(spec.width, spec.heads),
        mlp("gelu", spec.width, 2 * spec.width, True),
        cross=MultiHeadAttention(spec.width, spec.heads, context_dim=spec.width),
        norm="layer",
        dropout=spec.dropout,
    )
