"""Which sequences are for what: those that a plan was made on are refused, those for promotion are not those of the claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import Tensor

from heedful.errors import UsageError
from heedful.manage.hashes import batches_hashes, sequence_hashes
from heedful.manage.objective import Batch
from heedful.manage.plan import Plan


class Parts(NamedTuple):
    """Batches to promote on, none where there are too few, and batches for the claim."""

    select: tuple[Batch, ...]
    test: tuple[Batch, ...]


def parts(plan: Plan, batches: Iterable[Batch], select: Iterable[Batch] | None) -> Parts:
    """`select` and all of `batches`; without `select` the first third of `batches` (of the rows of a single one) is it.

    Raises `UsageError` for no batches, for sequences that the plan was calibrated on, and for sequences of both parts.
    """
    test = tuple(batches)
    if not test:
        raise UsageError("a plan is verified on batches: found none")
    found = divided(test) if select is None else Parts(tuple(select), test)
    refuse(plan, found)
    return found


def divided(batches: Sequence[Batch]) -> Parts:
    """The first third, and the rest; all for the claim where there is one sequence only."""
    rows = [row for batch in batches for row in split(batch)] if len(batches) < 3 else list(batches)
    third = len(rows) // 3 if len(rows) > 2 else 0
    return Parts(tuple(rows[:third]), tuple(rows[third:]))


def split(batch: Batch) -> list[Batch]:
    """A batch's rows as batches; one that holds more than tensors stays whole."""
    sizes = {len(value) for value in batch.values() if isinstance(value, Tensor) and value.dim()}
    if len(sizes) != 1 or not all(isinstance(value, Tensor) and value.dim() for value in batch.values()):
        return [batch]
    return [{name: value[row : row + 1] for name, value in batch.items()} for row in range(sizes.pop())]


def refuse(plan: Plan, found: Parts) -> None:
    """Refuse what would make the claim worth nothing."""
    chosen, claimed = set(batches_hashes(found.select)), set(batches_hashes(found.test))
    seen = (chosen | claimed) & set(plan.calibrated)
    if seen:
        raise UsageError(
            f"{len(seen)} of {len(chosen | claimed)} sequences were used to make this plan: other text would work, "
            "as the test part of what `heedful plan` read"
        )
    both = chosen & claimed
    if both:
        raise UsageError(f"{len(both)} sequences are both for promotion and for the claim: parts without a common sequence would work")


def keys(batches: Iterable[Batch]) -> tuple[str, ...]:
    """The hashes of all sequences, in order."""
    return tuple(key for batch in batches for key in sequence_hashes(batch))
