"""Attention weighted by what it carries: the norm of each place's transformed vector, not the weight alone.

Kobayashi et al. 2020, arXiv 2004.10102, eq. 5: ‖Σ_h α_h f_h(x_j)‖ with f_h(x) = (x W_V,h + b) W_O,h. The norm is taken from the heads'
inner products, (h x h) for each key, so that no (q, k, m) tensor is made, and a few queries at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.attention import chosen
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import one_stream
from heedful.explanations.subject import Look, Subject


@final
@dataclass(frozen=True)
class ValueNorms(Method):
    """What the answer reads of each unit by the norm of what is carried: of one layer counted from 1, or the mean over all.

    >>> ValueNorms(layer=-1).name
    'value_norms'
    """

    name: ClassVar[str] = "value_norms"
    title: ClassVar[str] = "norm of what attention carried"
    source: ClassVar[str] = "Kobayashi et al. 2020, arXiv 2004.10102"
    layer: int | None = None

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        reason = one_stream(subject)
        if reason is not None:
            return reason
        unknown = next((look.name for look in subject.looked().layers if look.write is None), None)
        return f"the output projection of {unknown} was not found" if unknown else None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """A mean norm for each unit."""
        reading = subject.reading.double()
        return subject.by_unit(torch.stack([carried(look, reading) for look in chosen(subject.looked().layers, self.layer)]).mean(0))

    def passes(self, subject: Subject) -> int:
        """One."""
        return 1


@torch.no_grad()
def carried(look: Look, reading: Float[Tensor, " q"]) -> Float[Tensor, " k"]:
    """For each key the norm of what it gives to each query, as much as each query counts."""
    assert look.write is not None
    given = torch.einsum("hkv,hvm->khm", look.values.double(), look.write.double())
    inner = torch.einsum("khm,kgm->khg", given, given)
    found = reading.new_zeros(look.size[1])
    for first, end in look.blocks(64):
        weights = look.rows(first, end).double()
        squared = torch.einsum("hqk,gqk,khg->qk", weights, weights, inner)
        found = found + reading[first:end] @ squared.clamp(min=0).sqrt()
    return found
