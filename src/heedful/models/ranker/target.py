"""A ranker whose candidates query the history, each reading what matters to it (Zhou et al. 2018, arXiv 1706.06978, DIN)."""

from __future__ import annotations

from typing import Final, final

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models.ranker.gaps import Ages
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.loss import sampled_loss
from heedful.models.ranker.ranker import IGNORED, Histories, Ranker
from heedful.spec.ranker import RankerSpec

ASKED: Final = 4  # places of a row that are asked at one step
CELLS: Final = 1 << 22  # candidates times history at one go


@final
class TargetRanker(Ranker):
    """score(c) = w · feed([c, read, c ⊙ read]) + bias(c), where `read` is what c's attention takes from the history.

    >>> model = TargetRanker(RankerSpec(vocabulary=9, context=6, width=8, reading="target", loss="sampled", negatives=3)).eval()
    >>> model(torch.tensor([[1, 2, 3]])).scores.shape
    torch.Size([1, 9])
    """

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__(spec)
        self.attention = MultiHeadAttention(spec.width, spec.heads)
        self.ages = Ages(spec.heads, spec.context)
        self.norm = norm(spec.norm, spec.width)
        self.feed = mlp(spec.mlp, 3 * spec.width, spec.mlp_width or 2 * spec.width)
        self.out = nn.Linear(3 * spec.width, 1)
        self.dropout = nn.Dropout(spec.dropout)

    def scores(self, read: Histories, catalogue: Catalogue | None = None) -> Float[Tensor, "b v"]:
        """Every item in turn asks the whole history, some at a time."""
        catalogue = catalogue or self.items.catalogue()
        step = max(1, CELLS // read.ids.numel())
        keys, parts = self.norm(self.embedded(read, catalogue.vectors)), []
        for at in range(0, len(catalogue.bias), step):
            candidates = torch.arange(at, min(at + step, len(catalogue.bias)), device=read.ids.device).expand(len(read.ids), -1)
            parts.append(self.ask(keys, candidates, read.last[:, None].expand_as(candidates), catalogue)[0])
        return torch.cat(parts, dim=1).float()

    def ask(
        self, keys: Float[Tensor, "b t m"], items: Int[Tensor, "b c"], places: Int[Tensor, "b c"], catalogue: Catalogue, trace: bool = False
    ) -> tuple[Float[Tensor, "b c"], Trace | None]:
        """The score of each candidate after the history up to its place."""
        vectors = torch.nn.functional.embedding(items, catalogue.vectors) * keys.shape[-1] ** 0.5
        ages = places[:, :, None] - torch.arange(keys.shape[1], device=keys.device)
        bias = rearrange(self.ages(ages), "h b c t -> b h c t")
        mask: Bool[Tensor, "b 1 c t"] = (ages >= 0)[:, None]
        seen: Trace | None = None
        if trace:
            taken, seen = self.attention(self.norm(vectors), keys, mask=mask, bias=bias, trace=True)
        else:
            taken = self.attention(self.norm(vectors), keys, mask=mask, bias=bias)
        both = self.dropout(torch.cat([vectors, taken, vectors * taken], dim=-1))
        scores: Tensor = self.out(both + self.feed(both))[..., 0]
        return scores + catalogue.bias[items], seen

    def learn(self, read: Histories, labels: Int[Tensor, "b t"], own: Int[Tensor, "b o"] | None) -> Float[Tensor, ""]:
        """Some places of each row are asked for what came next, against items drawn for the row."""
        catalogue = self.items.catalogue()
        keys = self.norm(self.embedded(read, catalogue.vectors))
        real = (labels != IGNORED).sum(1, keepdim=True)
        places = (torch.rand(len(labels), ASKED, device=labels.device) * real).long()
        right = labels.gather(1, places)
        drawn = torch.randint(self.vocabulary, (len(labels), self.spec.negatives), device=labels.device)
        items = torch.cat([right[:, :, None], drawn[:, None].expand(-1, ASKED, -1)], dim=2)
        at = places[:, :, None].expand_as(items)
        found, _ = self.ask(keys, items.flatten(1), at.flatten(1), catalogue)
        scores = rearrange(found, "b (p c) -> (b p) c", p=ASKED)
        wrong = scores[:, 1:].masked_fill(items.flatten(0, 1)[:, 1:] == items.flatten(0, 1)[:, :1], -torch.inf)
        return sampled_loss(scores[:, 0], wrong, self.vocabulary, self.spec.calibration)
