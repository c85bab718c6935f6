"""What spoilt words cost: accuracy at each rate of noise, of the model and of the linear baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heedful.data.labelled.noise import noised
from heedful.data.labelled.texts import Texts
from heedful.errors import UsageError
from heedful.tasks.task import Listing

Told = Callable[[Texts], Sequence[str]]


def noise_curve(
    texts: Texts, noise: str, rates: Sequence[float], told: Told, baseline: Callable[[tuple[str, ...]], Sequence[str]]
) -> Listing:
    """Accuracy without noise, then at each rate; the same words are spoilt for both.

    Errors: `UsageError` for an unknown noise, or a rate that is no share.
    """
    if any(not 0 <= rate <= 1 for rate in rates):
        raise UsageError(f"--rate is {', '.join(f'{rate:g}' for rate in rates)}: shares of the words, from 0 to 1, would work")
    rows: list[tuple[str | int | float, ...]] = []
    for rate in (0.0, *(rate for rate in rates if rate)):
        spoilt = noised(texts, noise, rate)
        rows.append((f"{rate:.0%}", share(told(spoilt), texts), share(baseline(spoilt.texts), texts)))
    return Listing(f"accuracy with {noise} in a share of the words", ("words", "model", "baseline"), tuple(rows))


def share(found: Sequence[str], texts: Texts) -> float:
    """The share of the texts that are told right."""
    return sum(one == other for one, other in zip(found, texts.labels, strict=True)) / len(texts)
