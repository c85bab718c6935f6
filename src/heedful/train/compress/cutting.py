"""What is to be taken away from a model, and how less is taken where too much was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from heedful.errors import UsageError
from heedful.train.compress.gates import Gating

ROUNDS = 5  # of taking less


@dataclass(frozen=True)
class Cutting:
    """What is taken away: the shares of heads and channels that stay, by which worth, and whether weights get eight bits.

    `epsilon` is the most nats a token that may be lost, by the 95 % bound; more of the model stays until it holds.
    """

    heads: float | None = None
    channels: float | None = None
    gates: Literal["se"] | None = None
    int8: bool = False
    refit: bool = True
    epsilon: float | None = None
    plan: Path | None = None
    gating: Gating = field(default_factory=Gating)

    def __post_init__(self) -> None:
        if self.heads is None and self.channels is None and not self.int8 and self.plan is None:
            raise UsageError("nothing to take away: --heads 0.5, --channels 0.5, --int8 or --plan FILE would work")
        if self.heads is not None and self.plan is not None:
            raise UsageError("--heads and --plan both say which heads go: one of them would work")
        if self.gates is not None and self.channels is None:
            raise UsageError("--gates say which channels go, and --channels how many: --channels 0.5 beside it would work")
        if self.epsilon is not None and not self.epsilon > 0:
            raise UsageError(f"--epsilon is {self.epsilon:g}: the nats a token that may be lost, above 0")
        for name, share in (("heads", self.heads), ("channels", self.channels)):
            if share is not None and not 0.0 < share <= 1.0:
                raise UsageError(f"--{name} is {share:g}: the share that stays lies above 0 and at most at 1, for example 0.5")


def ladder(cutting: Cutting) -> Iterator[Cutting]:
    """The cutting that was asked for, then ones that leave more and more."""
    if cutting.epsilon is None or not (cutting.heads or cutting.channels):
        yield cutting
        return
    for step in range(ROUNDS):
        rise = step / ROUNDS
        heads, channels = (None if share is None else share + (1 - share) * rise for share in (cutting.heads, cutting.channels))
        yield replace(cutting, heads=heads, channels=channels)
