"""Gradient-weighted attention relevance, through self-attention and across two streams.

Chefer, Gur & Wolf 2021, arXiv 2103.15679. Ā = mean over heads of (∇A ⊙ A)⁺ (eq. 5); self-attention R ← R + Ā R (eq. 6); across streams
R_sq ← R_sq + R̄_ssᵀ Ā R̄_qq (eq. 10) with R̄ the normed R (eq. 8, 9). ∇A = ∇out · Vᵀ is made a few queries at a time from the gradient of
the heads' outputs. With one stream only one row of R is wanted, and it is multiplied from the answer downwards: no n x n tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import layers
from heedful.explanations.subject import Look, Looked, Subject

MOST: Final = 1024  # places of each of two streams, whose relevances are kept as matrices


@final
@dataclass(frozen=True)
class Relevance(Method):
    """What of each unit comes to the answer through weights that matter to it.

    >>> Relevance().name
    'relevance'
    """

    name: ClassVar[str] = "relevance"
    title: ClassVar[str] = "relevance through weights that matter"
    source: ClassVar[str] = "Chefer, Gur & Wolf 2021, arXiv 2103.15679"

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        reason = subject.no_gradients or layers(subject)
        if reason is not None:
            return reason
        passed = subject.looked().layers
        longest = max(max(look.size) for look in passed)
        if longest > MOST and any(look.side != "self" for look in passed):
            return f"across two streams it keeps matrices of {longest} x {longest}: up to {MOST} places would work"
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """A relevance for each unit."""
        looked = subject.looked()
        grads = gradients(looked)
        if any(look.side != "self" for look in looked.layers):
            return subject.by_unit(across(looked.layers, grads, subject.reading.double()))
        passed = subject.reading.double()
        for look, grad in zip(reversed(looked.layers), reversed(grads), strict=True):
            passed = passed + read(look, grad, passed)
        return subject.by_unit(passed)

    def passes(self, subject: Subject) -> int:
        """One forward, one backward."""
        return 3


def gradients(looked: Looked) -> tuple[Tensor, ...]:
    """The gradient of the answer with respect to each layer's heads; zeros where it reads nothing of them, or they nothing of the input."""
    within = [look.out for look in looked.layers if look.out.requires_grad]
    found = iter(torch.autograd.grad(looked.score, within, retain_graph=True, allow_unused=True))
    grads = (next(found) if look.out.requires_grad else None for look in looked.layers)
    return tuple(torch.zeros_like(look.out) if grad is None else grad for look, grad in zip(looked.layers, grads, strict=True))


@torch.no_grad()
def weighted(look: Look, grad: Float[Tensor, "1 h q v"], first: int, end: int) -> Float[Tensor, "rows k"]:
    """Ā of some queries."""
    moved = torch.einsum("hqv,hkv->hqk", grad[0, :, first:end].double(), look.values.double())
    return (moved * look.rows(first, end).double()).clamp(min=0).mean(0)


def read(look: Look, grad: Float[Tensor, "1 h q v"], passed: Float[Tensor, " q"]) -> Float[Tensor, " k"]:
    """passed · Ā, a few queries at a time."""
    found = passed.new_zeros(look.size[1])
    for first, end in look.blocks():
        if bool(passed[first:end].any()):
            found = found + passed[first:end] @ weighted(look, grad, first, end)
    return found


def across(passed: tuple[Look, ...], grads: tuple[Tensor, ...], reading: Float[Tensor, " q"]) -> Float[Tensor, " t"]:
    """What of each place of the source comes to the answer of another stream, and then of each place of that stream itself."""
    source = next(look.size[1] for look in passed if look.side == "cross")
    own = torch.eye(len(reading), dtype=torch.float64)
    theirs, crossed = torch.eye(source, dtype=torch.float64), torch.zeros(len(reading), source, dtype=torch.float64)
    for look, grad in zip(passed, grads, strict=True):
        matrix = torch.cat([weighted(look, grad, *block) for block in look.blocks()]).cpu()
        if look.side == "source":
            theirs = theirs + matrix @ theirs
        elif look.side == "self":
            own, crossed = own + matrix @ own, crossed + matrix @ crossed
        else:
            crossed = crossed + normed(own).T @ matrix @ normed(theirs)
    return torch.cat([reading @ crossed, reading @ own])


def normed(relevance: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """What came through layers alone, each row one together, beside the place itself (eq. 8, 9)."""
    identity = torch.eye(len(relevance), dtype=relevance.dtype)
    rest = relevance - identity
    total = rest.sum(-1, keepdim=True)
    return torch.where(total > 0, rest / total.clamp(min=torch.finfo(total.dtype).tiny), 0.0) + identity
