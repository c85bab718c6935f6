"""A ranker that reads the history once and scores all items by it (SASRec, HSTU), with counted votes beside if it has any.

Kang & McAuley 2018 (arXiv 1808.09781) with the softmax over all items, or gSASRec's loss where the catalogue is too large for it.
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.norm import norm
from heedful.models import mechanisms
from heedful.models.ranker.blocks import CausalBlock, HistoryBlock, PointwiseBlock
from heedful.models.ranker.gaps import TimeGaps
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.loss import Beside, sampled_loss, softmax_loss
from heedful.models.ranker.ranker import IGNORED, Histories, Ranker
from heedful.models.ranker.votes import Asked, Votes
from heedful.models.start import draw
from heedful.spec.ranker import RankerSpec


class Encoded(NamedTuple):
    """States (b, t, m) and, if asked for, the weights (b, h, t, t) of each layer."""

    states: Float[Tensor, "b t m"]
    weights: tuple[Tensor, ...] = ()


@final
class HistoryRanker(Ranker):
    """Item vectors, layers over the history, and the same vectors as the output.

    >>> model = HistoryRanker(RankerSpec(vocabulary=9, context=6, width=8, layers=1)).eval()
    >>> model(torch.tensor([[1, 2, 3]])).scores.shape
    torch.Size([1, 9])
    >>> loss = model.train()(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[2, 3, 4]])).loss.item()
    >>> 1.5 < loss < 2.5  # near log 6 before anything is learnt: what was seen is out of the question
    True
    """

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__(spec)
        self.places = mechanisms.places(spec.body) if spec.reading == "attention" else None
        self.gaps = TimeGaps(spec.heads, spec.gaps) if spec.gaps else None
        kind = CausalBlock if spec.reading == "attention" else PointwiseBlock
        self.layers = nn.ModuleList([kind(spec) for _ in range(spec.layers)])
        self.norm = norm(spec.norm, spec.width)
        self.dropout = nn.Dropout(spec.dropout)
        self.votes = Votes(spec.votes, spec.vocabulary) if spec.votes else None
        self.filtered = True
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                draw(module.weight, module.bias, 0.02)

    def encode(self, read: Histories, vectors: Float[Tensor, "v m"], trace: bool = False) -> Encoded:
        """The state at each place, which has read it and what was before it."""
        x = self.embedded(read, vectors)
        x = self.dropout(x if self.places is None else self.places(x))
        bias = None if self.gaps is None or read.times is None else self.gaps(read.times)
        kept: list[Tensor] = []
        for layer in self.layers:
            assert isinstance(layer, HistoryBlock)
            x, weights = layer(x, bias, trace)
            kept += [weights] if weights is not None else []
        states: Tensor = self.norm(x)
        return Encoded(states, tuple(kept))

    def scores(self, read: Histories, catalogue: Catalogue | None = None) -> Float[Tensor, "b v"]:
        """The last state against every item, and the votes."""
        catalogue = catalogue or self.items.catalogue()
        rows, last = torch.arange(len(read.ids), device=read.ids.device), read.last
        state = self.encode(read, catalogue.vectors).states[rows, last]
        scores = torch.addmm(catalogue.bias, state, catalogue.vectors.T).float()
        if self.votes is None:
            return scores
        beside: Beside = self.votes(Asked(read.ids, rows, last))
        return scores.scatter_add(1, beside.ids, beside.values.float())

    def learn(self, read: Histories, labels: Int[Tensor, "b t"], own: Int[Tensor, "b o"] | None) -> Float[Tensor, ""]:
        """Every place is asked for the item after it."""
        catalogue = self.items.catalogue()
        states = self.encode(read, catalogue.vectors).states
        rows, places = (labels != IGNORED).nonzero(as_tuple=True)
        if self.spec.loss == "sampled":
            return self.sampled(states, labels, catalogue)
        beside = None if self.votes is None else self.votes(Asked(read.ids, rows, places, labels, own))
        if beside is not None and catalogue.own is not None:  # nobody has voted for what is new
            beside = Beside(beside.values * catalogue.own[beside.ids], beside.ids)
        hidden = behind(read.ids, rows, places) if self.filtered else None
        return softmax_loss(states[rows, places], catalogue.vectors, catalogue.bias, labels[rows, places], beside, hidden)

    def sampled(self, states: Float[Tensor, "b t m"], labels: Int[Tensor, "b t"], catalogue: Catalogue) -> Float[Tensor, ""]:
        """gSASRec: the right item of each place against items drawn for its row."""
        drawn = torch.randint(self.vocabulary, (len(states), self.spec.negatives), device=states.device)
        real = labels != IGNORED
        right = (states * catalogue.vectors[labels.clamp(min=0)]).sum(-1) + catalogue.bias[labels.clamp(min=0)]
        wrong = torch.einsum("btm,bkm->btk", states, catalogue.vectors[drawn]) + catalogue.bias[drawn][:, None]
        wrong = wrong.masked_fill(drawn[:, None] == labels[:, :, None], -torch.inf)
        return sampled_loss(right[real], wrong[real], self.vocabulary, self.spec.calibration)


def behind(ids: Int[Tensor, "b t"], rows: Int[Tensor, " n"], places: Int[Tensor, " n"]) -> Int[Tensor, "n t"]:
    """The items that each place has read; the first, which all have, in place of those ahead.

    >>> behind(torch.tensor([[5, 6, 7]]), torch.tensor([0, 0]), torch.tensor([0, 1])).tolist()
    [[5, 5, 5], [5, 6, 5]]
    """
    read = torch.arange(ids.shape[1], device=ids.device) <= places[:, None]
    return torch.where(read, ids[rows], ids[rows, :1])
