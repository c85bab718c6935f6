"""Counts as features: each of the latest items votes for those that often followed it, or stood beside it, in other histories.

First-order Markov chains and item neighbourhoods (Deshpande & Karypis 2004, TOIS) are strong on short histories; here they enter the
logits with learned weights. In training the user's own history is taken out of every count: with it the answer would be among them.
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.models.ranker.loss import Beside
from heedful.spec.ranker import VoteSpec

KINDS = 4  # shares and cosines, each also as its root
START = (4.0, 1.0, 6.0, 1.0)  # what they weigh at age 0 before anything is learnt
FADE = 0.8  # from age to age, at the start
CALM = 1.0  # added to the count that shares are taken of: one vote of one is not a certainty


class Counts(NamedTuple):
    """What was counted: neighbours (v, n) of each item, -1 where there are fewer; in how many histories each `followed` it directly,
    and stood in the same (`beside`); how many histories go on after the item (`left`), and have it (`having`)."""

    neighbours: Int[Tensor, "v n"]
    followed: Float[Tensor, "v n"]
    beside: Float[Tensor, "v n"]
    left: Float[Tensor, " v"]
    having: Float[Tensor, " v"]


class Asked(NamedTuple):
    """Which places of which rows vote: `rows` and `places` (n) into items (b, t); `labels` and `own` where the counts hold these rows."""

    ids: Int[Tensor, "b t"]
    rows: Int[Tensor, " n"]
    places: Int[Tensor, " n"]
    labels: Int[Tensor, "b t"] | None = None
    own: Int[Tensor, "b o"] | None = None


@final
class Votes(nn.Module):
    """The votes at a place, by kind, age and neighbour.

    >>> votes = Votes(VoteSpec(neighbours=2, reach=3), vocabulary=4)
    >>> ids = torch.tensor([[0, 1]])
    >>> votes(Asked(ids, torch.tensor([0]), torch.tensor([1]))).values.shape
    torch.Size([1, 6])
    """

    neighbours: Tensor
    followed: Tensor
    beside: Tensor
    left: Tensor
    having: Tensor

    def __init__(self, spec: VoteSpec, vocabulary: int) -> None:
        super().__init__()
        self.reach = spec.reach
        shape = (vocabulary, spec.neighbours)
        self.register_buffer("neighbours", torch.full(shape, -1, dtype=torch.int32))
        self.register_buffer("followed", torch.zeros(shape))
        self.register_buffer("beside", torch.zeros(shape))
        self.register_buffer("left", torch.zeros(vocabulary))
        self.register_buffer("having", torch.zeros(vocabulary))
        fading = FADE ** torch.arange(spec.reach)
        self.weight = nn.Parameter((torch.tensor(START)[:, None] * fading).flatten())  # one row, so that it is not decayed as a matrix

    def take(self, counts: Counts) -> None:
        """Fill in what was counted."""
        for mine, theirs in zip((self.neighbours, self.followed, self.beside, self.left, self.having), counts, strict=True):
            mine.copy_(theirs)

    def forward(self, asked: Asked) -> Beside:
        """What is added to which item's logit: (n, reach · neighbours)."""
        ages = torch.arange(self.reach, device=asked.ids.device)
        at = asked.places[:, None] - ages
        voters = asked.ids[asked.rows[:, None], at.clamp(min=0)]
        standing = (at >= 0) & (voters < len(self.left))
        voters = voters.clamp(max=len(self.left) - 1)
        ids = self.neighbours[voters].long()
        features = self.features(asked, voters, ids, at.clamp(min=0))
        values = torch.einsum("knar,ka->nar", features, self.weight.view(KINDS, self.reach))
        values = values * (standing[:, :, None] & (ids >= 0))
        return Beside(values.flatten(1), ids.clamp(min=0).flatten(1))

    def features(self, asked: Asked, voters: Tensor, ids: Tensor, at: Tensor) -> Float[Tensor, "kinds n a r"]:
        """Of those who went on after the voter, the share that went there; the cosine of the two columns; and the roots of both."""
        followed, beside, left, having = self.followed[voters], self.beside[voters], self.left[voters], self.having[voters]
        others = self.having[ids.clamp(min=0)]
        if asked.labels is not None and asked.own is not None:
            after = asked.labels[asked.rows[:, None], at]
            mine = self.mine(asked.own)[asked.rows[:, None, None], ids.clamp(min=0)]
            followed, beside = followed - (ids == after[:, :, None]).float(), beside - mine
            left, having, others = (left - (after >= 0).float()).clamp(min=0), having - 1, others - mine
        share = (followed / (left[:, :, None] + CALM)).clamp(0, 1)
        cosine = (beside / (having[:, :, None] * others).clamp(min=1).sqrt()).clamp(0, 1)
        return torch.stack([share, share.sqrt(), cosine, cosine.sqrt()])

    def mine(self, own: Int[Tensor, "b o"]) -> Float[Tensor, "b v"]:
        """1 where an item is in the row's own history."""
        known = torch.zeros(len(own), len(self.left) + 1, device=own.device)
        return known.scatter_(1, torch.where(own >= 0, own, len(self.left)), 1.0)
