"""What a frontier is drawn from: which budgets, which controls, how much time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from heedful.spec.check import one_of, require

Resource = Literal["milliseconds", "operations", "bytes"]

BUDGETS: Final = (0.8, 0.6, 0.5, 0.4, 0.25)
CONTROLS: Final = ("uniform_window", "dropped_mass", "duo_attention", "michel", "random")


@dataclass(frozen=True)
class Ladder:
    """The settings of `heedful.frontier`.

    Arguments:
        budgets: shares of what the attention core takes, each above 0 and below 1; resource: of what.
        controls: what stands beside the plan at each of them.
        timed: rounds on the clock; 0 takes no time.
        level: probability with which the bounds hold.
        block: tokens of a block that counts as independent; whole sequences unless given.
        seed: of the bounds and of the random control.
    """

    budgets: tuple[float, ...] = BUDGETS
    controls: tuple[str, ...] = CONTROLS
    resource: Resource = "milliseconds"
    timed: int = 3
    level: float = 0.95
    block: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require(bool(self.budgets), "budgets", "are none: 0.8, 0.6, 0.4 and 0.25 would work")
        one_of("resource", self.resource, get_args(Resource))
        for budget in self.budgets:
            require(0 < budget < 1, "budgets", f"are shares above 0 and below 1, found {budget:g}")
        require(self.timed >= 0, "timed", f"must be 0 or more, found {self.timed}")
        require(0.5 < self.level < 1, "level", f"lies between 0.5 and 1, found {self.level}; 0.95 would work")
        require(self.block is None or self.block > 0, "block", f"must be above 0, found {self.block}")
