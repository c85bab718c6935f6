"""Items as vectors: each its own, and one read from its words and attributes, by which new items can be ranked.

The share of items whose own vector is hidden in training: Volkovs et al. 2017, NeurIPS (DropoutNet). Words attended: Wu et al. 2019,
arXiv 1907.05576.
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.embed import TokenEmbedding
from heedful.layers.pooling import AttentionPooling
from heedful.spec.ranker import ContentSpec, RankerSpec

NONE = -1


class Catalogue(NamedTuple):
    """Every item that can be read and ranked: the known ones, then new ones; `own` is 0 for those of a step that are read as new."""

    vectors: Float[Tensor, "v m"]
    bias: Float[Tensor, " v"]
    own: Float[Tensor, " v"] | None = None


@final
class ContentTower(nn.Module):
    """Features (n, f) of items or users, padded with -1, to vectors (n, m): a learned attention over them; zeros where there are none.

    >>> tower = ContentTower(ContentSpec(features=5), 8)
    >>> tower(torch.tensor([[0, 2, -1], [-1, -1, -1]])).shape
    torch.Size([2, 8])
    """

    def __init__(self, spec: ContentSpec, width: int) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(max(1, spec.features), width)
        self.pool = AttentionPooling(width)
        self.out = nn.Linear(width, width, bias=False)
        nn.init.eye_(self.out.weight)

    def forward(self, features: Int[Tensor, "n f"]) -> Float[Tensor, "n m"]:
        """One vector each."""
        real = features != NONE
        pooled: Tensor = self.pool(self.embedding(features.clamp(min=0)), real)[0]
        vectors: Tensor = self.out(pooled)
        return vectors


@final
class ItemVectors(nn.Module):
    """The vectors and biases of all items.

    >>> items = ItemVectors(RankerSpec(vocabulary=9, width=8, content=ContentSpec(features=5, most=2)))
    >>> items.catalogue(torch.tensor([[0, 1]])).vectors.shape  # nine known items and a new one
    torch.Size([10, 8])
    """

    features: Tensor

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(spec.vocabulary, spec.width)
        self.bias = nn.Parameter(torch.zeros(spec.vocabulary))
        self.hidden = spec.content.hidden if spec.content else 0.0
        self.tower = ContentTower(spec.content, spec.width) if spec.content else None
        self.newness = nn.Parameter(torch.zeros(1)) if spec.content else None  # the bias of all that is new
        most = spec.content.most if spec.content else 0
        self.register_buffer("features", torch.full((spec.vocabulary, most), NONE, dtype=torch.int32))

    def catalogue(self, new: Int[Tensor, "n f"] | None = None) -> Catalogue:
        """All known items and, where there is a tower, `new` ones by their features; in training some are read by content alone."""
        vectors: Tensor = self.embedding.weight
        bias: Tensor = self.bias
        if self.tower is None or self.newness is None:
            return Catalogue(vectors, bias)
        told, keep = self.tower(self.features.long()), None
        if self.training and self.hidden:
            keep = (torch.rand(len(bias), device=bias.device) >= self.hidden).to(bias.dtype)
            vectors, bias = vectors * keep[:, None], bias * keep + self.newness * (1 - keep)
        vectors = vectors + told
        if new is None or not len(new):
            return Catalogue(vectors, bias, keep)
        return Catalogue(torch.cat([vectors, self.tower(new)]), torch.cat([bias, self.newness.expand(len(new))]))
