"""Methods beside each other, and beside chance, on the same inputs: which of them tells the truth about this model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch

from heedful.errors import UsageError
from heedful.explanations.faithfulness.deletion import FRACTIONS, Curve, curves
from heedful.explanations.faithfulness.interval import Interval, interval, paired
from heedful.explanations.faithfulness.naopc import naopc
from heedful.explanations.faithfulness.sanity import alike
from heedful.explanations.faithfulness.soft import Soft, normalised, soft
from heedful.explanations.faithfulness.standing import Standing
from heedful.explanations.faithfulness.truth import points, precision
from heedful.explanations.methods.chance import Chance
from heedful.explanations.methods.method import Method
from heedful.explanations.subject import Subject

DEAR: Final = 20  # forward passes that a method may cost to become a run's default
ORDERS: Final = 5  # random orders a text


@dataclass(frozen=True)
class Protocol:
    """How methods are compared.

    Arguments:
        fractions: the shares of units that are taken away.
        replacement: what is done to a unit: delete, mask or baseline; the subject's usual one if not given.
        bounded: on how many of the inputs the best and worst order are searched for (NAOPC); it is dear.
        sane: on how many of them scores are held against those under random weights.
        softly: whether the soft measures are taken.
    """

    fractions: tuple[float, ...] = FRACTIONS
    replacement: str | None = None
    bounded: int = 8
    sane: int = 8
    softly: bool = True


@dataclass
class Line:
    """What was found of one method, input by input."""

    method: Method
    curves: list[list[Curve]] = field(default_factory=list)
    naopc: list[float] = field(default_factory=list)
    soft: list[Soft] = field(default_factory=list)
    alike: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)

    def means(self, of: Callable[[Curve], float]) -> list[float]:
        """A number of each input's curve, the mean over orders where several were drawn."""
        return [sum(map(of, each)) / len(each) for each in self.curves]

    @property
    def balances(self) -> list[float]:
        """Comprehensiveness less sufficiency of each input."""
        return self.means(lambda curve: curve.balance)

    def row(self, chance: Line) -> dict[str, Any]:
        """The means, and how far above chance."""
        over = None if self is chance else paired(self.balances, chance.balances)
        softly = normalised(self.soft)
        return {
            "comprehensiveness": interval(self.means(lambda curve: curve.comprehensiveness)),
            "sufficiency": interval(self.means(lambda curve: curve.sufficiency)),
            "over_random": over,
            "naopc": mean(self.naopc),
            "soft_comprehensiveness": softly[1] if softly else None,
            "soft_sufficiency": softly[0] if softly else None,
            "under_random_weights": mean(self.alike),
            "points": interval(self.points) if self.points else None,
            "precision": interval(self.precision) if self.precision else None,
            "passes": max(self.passes),
        }


@dataclass(frozen=True)
class Comparison:
    """A line for each method, chance last, and why others were left out."""

    lines: tuple[Line, ...]
    skipped: dict[str, str]
    data: str

    @property
    def texts(self) -> int:
        """How many inputs."""
        return len(self.chance.curves)

    @property
    def chance(self) -> Line:
        """The control."""
        return self.lines[-1]

    def line(self, name: str) -> Line:
        """One method's."""
        return next(line for line in self.lines if line.method.name == name)

    @property
    def best(self) -> Line:
        """The method with the highest balance among those that may be shown as reasons and cost 20 passes or fewer."""
        fit = [line for line in self.lines if line.method.faithful and max(line.passes) <= DEAR]
        if not fit:
            raise UsageError("none of the methods compared may become the default: measured or quick among them would work")
        return max(fit, key=lambda line: sum(line.balances))

    def standing(self, line: Line) -> Standing:
        """What an explanation by this method says of itself."""
        row = line.row(self.chance)
        return Standing(
            line.method.name, self.texts, self.data, row["comprehensiveness"].mean, row["sufficiency"].mean, over(line, self.chance)
        )

    def against(self, name: str, other: str) -> Interval:
        """The balance of one method less another's, in pairs."""
        return paired(self.line(name).balances, self.line(other).balances)


def over(line: Line, chance: Line) -> Interval:
    """How far above chance."""
    return paired(line.balances, chance.balances)


def compared(
    subjects: Iterable[Subject], methods: Sequence[Method], data: str, protocol: Protocol, told: Callable[[], None] = lambda: None
) -> Comparison:
    """Every method on every input; one that cannot serve one of them is left out with its reason. `told` is called after each input.

    Errors: `UsageError` for no inputs.
    """
    lines = [Line(method) for method in methods if not isinstance(method, Chance)]
    chance, skipped = Line(Chance()), dict[str, str]()
    for number, subject in enumerate(subjects):
        for line in list(lines):
            reason = line.method.why_not(subject)
            if reason is not None:
                skipped[line.method.name] = reason
                lines.remove(line)
        measured(subject, lines, chance, number, protocol)
        told()
    if not chance.curves:
        raise UsageError("there is nothing to compare on: one text or more would work")
    return Comparison((*lines, chance), skipped, data)


def measured(subject: Subject, lines: Sequence[Line], chance: Line, number: int, protocol: Protocol) -> None:
    """One input, by all methods."""
    scores = [line.method.scores(subject) for line in lines]
    drawn = [Chance(ORDERS * number + i).scores(subject) for i in range(ORDERS)]
    found = curves(subject, [*scores, *drawn], protocol.fractions, protocol.replacement)
    every = [*lines, chance]
    for line, own in zip(every, [*([curve] for curve in found[: len(lines)]), found[len(lines) :]], strict=True):
        line.curves.append(own)
        line.passes.append(line.method.passes(subject))
    if subject.truth is not None:
        for line, told in zip(every, [*([each] for each in scores), drawn], strict=True):
            line.points.append(sum(points(each, subject.truth) for each in told) / len(told))
            line.precision.append(sum(precision(each, subject.truth) for each in told) / len(told))
    if number < protocol.bounded:
        for line, place in zip(every, naopc(subject, [*scores, drawn[0]], replacement=protocol.replacement), strict=True):
            line.naopc += [] if place is None else [place]
    if protocol.softly and subject.no_gradients is None:
        for line, each in zip(every, [*scores, drawn[0]], strict=True):
            line.soft.append(soft(subject, each, seed=number))
    if number < protocol.sane:
        for line, like in zip(lines, alike(subject, [line.method for line in lines]), strict=True):
            line.alike += [] if like is None else [like]


def mean(values: Sequence[float]) -> float | None:
    """The mean, or None of nothing."""
    return float(torch.tensor(values, dtype=torch.float64).mean()) if values else None
