"""Several texts packed into one sequence: which mask says so, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from heedful.attention.masks.algebra import And, Not, Or
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dilated import Dilated
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.strided import Strided
from heedful.attention.masks.window import Window

Lengths = list[list[int]]


@dataclass(frozen=True, slots=True)
class Packed:
    """Documents, and the rule that holds within each of them."""

    documents: Documents
    within: Mask | None


def packed_in(mask: Mask | None) -> Packed | None:
    """The documents of a mask and the rest of it, where that reads the same at every place."""
    if isinstance(mask, Documents):
        return Packed(mask, None)
    if not isinstance(mask, And):
        return None
    documents = [part for part in mask.parts if isinstance(part, Documents)]
    others = tuple(part for part in mask.parts if not isinstance(part, Documents))
    if len(documents) != 1 or not all(of_distance(part) for part in others):
        return None
    return Packed(documents[0], others[0] if len(others) == 1 else And(others))


def of_distance(mask: Mask) -> bool:
    """Whether a rule looks at the distance of query and key only, so that it may be asked from the start of a text."""
    if isinstance(mask, And | Or):
        return all(of_distance(part) for part in mask.parts)
    return of_distance(mask.part) if isinstance(mask, Not) else isinstance(mask, Causal | Window | Dilated | Strided)


LENGTHS = WeakTensorKeyDictionary()  # ids -> (version of the tensor, its lengths): reading them stops a GPU


def lengths_of(ids: Int[Tensor, "b n"]) -> Lengths | None:
    """The lengths of the documents of each row, in order; None where one of them stands in several pieces."""
    if ids.is_inference():
        return measured(ids)
    if ids not in LENGTHS or LENGTHS[ids][0] != ids._version:
        LENGTHS[ids] = (ids._version, measured(ids))
    kept: Lengths | None = LENGTHS[ids][1]
    return kept


def measured(ids: Int[Tensor, "b n"]) -> Lengths | None:
    """The same, read from the ids."""
    rows: Lengths = []
    for row in ids.cpu():
        names, counts = row.unique_consecutive(return_counts=True)
        if len(names.unique()) != len(names):
            return None
        rows.append(counts.tolist())
    return rows
