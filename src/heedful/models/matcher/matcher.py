"""The matcher: a tower for questions and entries alike, a prototype of each class in both of its vectors, and a re-ranker.

Learning is cross entropy over the prototypes (Snell et al. 2017, arXiv 1703.05175, with prototypes that are learnt; labels smoothed), of
each stream by itself so that both learn all they can, and the in-batch loss of two towers (Henderson et al. 2017, arXiv 1705.00652;
mined negatives: Karpukhin et al. 2020, arXiv 2004.04906).
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, normalize

from heedful.errors import UsageError
from heedful.models.matcher.asked import Asked
from heedful.models.matcher.reranker import Reranker, States
from heedful.models.matcher.tower import Tower, Towered
from heedful.spec.matcher import MatcherSpec
from heedful.spec.task import RunModel

SCALE: Final = 16.0  # of a cosine, at the start


class MatcherOutput(NamedTuple):
    """Log probabilities of the classes by both streams together, the vectors, and the loss where the classes are known."""

    logits: Float[Tensor, "b c"]
    towered: Towered
    loss: Float[Tensor, ""] | None = None


@final
class Matcher(nn.Module):
    """Tower, prototypes and re-ranker.

    >>> from heedful.data.labelled.texts import Texts
    >>> from heedful.data.questions.reading import read
    >>> from heedful.data.tokens.grams import Grams
    >>> grams = Grams.train(["lost my card\\nforgot the pin"], None)
    >>> spec = MatcherSpec(vocabulary=grams.size, labels=("card", "pin"), width=16, heads=2, lexical=8)
    >>> batch = read(Texts(("lost card", "pin"), ("card", "pin")), spec.labels, grams, 8).whole()
    >>> out = Matcher(spec).eval()(batch)
    >>> out.logits.shape, out.loss.shape
    (torch.Size([2, 2]), torch.Size([]))

    Errors: `UsageError` for a vocabulary of 0 and fewer than two labels.
    """

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__()
        if len(spec.labels) < 2:
            raise UsageError(f"model.labels are {len(spec.labels)}: a matcher needs two classes or more")
        self.spec, self.context = spec, spec.context
        self.tower = Tower(spec)
        self.attentive = nn.Parameter(torch.randn(len(spec.labels), spec.attentive) * 0.05)
        self.lexical = nn.Parameter(torch.randn(len(spec.labels), spec.lexical) * 0.05)
        self.scales = nn.Parameter(torch.full((2,), SCALE))
        self.reranker = Reranker(spec) if spec.rerank else None

    def forward(self, batch: Asked) -> MatcherOutput:
        """Scores of the classes; the loss of the rows whose class is known (none: -100)."""
        found = self.tower(batch)
        streams = self.streams(found)
        logits = torch.stack([log_softmax(stream.float(), -1) for stream in streams]).sum(0)
        smoothing = self.spec.smoothing if self.training else 0.0
        losses = [cross_entropy(stream.float(), batch.labels, label_smoothing=smoothing, ignore_index=-100) for stream in streams]
        loss = torch.stack(losses).sum()
        if self.training and batch.group > 1:
            loss = loss + self.paired(batch, found)
        return MatcherOutput(logits, found, loss)

    def streams(self, found: Towered) -> list[Float[Tensor, "b c"]]:
        """The classes' scores by the attentive vector of each member and by the lexical vector."""
        width, members = self.spec.width, self.spec.members
        pairs = zip(torch.split(found.attentive, width, dim=1), torch.split(self.attentive, width, dim=1), strict=True)
        attentive = [self.scales[0] * members**0.5 * mine @ normalize(known, dim=-1).T for mine, known in pairs]
        return [*attentive, self.scales[1] * found.lexical @ normalize(self.lexical, dim=-1).T]

    def paired(self, batch: Asked, found: Towered) -> Float[Tensor, ""]:
        """The in-batch loss of both streams, and the re-ranker's over each group; a text of the same class is no negative."""
        total = found.attentive.new_zeros(())
        anchors = torch.arange(0, len(batch.labels), batch.group, device=batch.labels.device)
        if self.spec.contrast:
            same = batch.labels[anchors, None] == batch.labels
            wrong = same.scatter(1, anchors[:, None] + 1, False)  # all of the class but the one that is looked for
            for vectors, scale in ((found.attentive, self.scales[0]), (found.lexical, self.scales[1])):
                logits = (scale * vectors[anchors] @ vectors.T).float().masked_fill(wrong, -torch.inf)
                total = total + self.spec.contrast * cross_entropy(logits, anchors + 1)
        if self.reranker is not None:
            others = anchors[:, None] + torch.arange(1, batch.group, device=anchors.device)
            asked = anchors[:, None].expand_as(others).flatten()
            scores, _ = self.reranker(picked(found, asked), picked(found, others.flatten()))
            target = torch.zeros(len(anchors), dtype=torch.long, device=anchors.device)
            total = total + self.spec.rerank_weight * cross_entropy(scores.view_as(others).float(), target)
        return total


def picked(found: Towered, rows: Tensor) -> States:
    """The states of some texts."""
    return States(found.states[rows], found.real[rows])


def build_matcher(spec: RunModel) -> Matcher:
    """The matcher of this spec, freshly started from torch's generator; `UsageError` for another model."""
    if not isinstance(spec, MatcherSpec):
        raise UsageError(f"model.kind is {spec.kind}, which does not match questions: matcher does")
    return Matcher(spec)
