"""How a plan is verified: what is compared, in which units, how often, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heedful.spec.check import one_of, positive, require

Metric = Literal["nll", "error"]


@dataclass(frozen=True)
class Protocol:
    """The settings of `heedful.verify`.

    Arguments:
        metric: what may rise by epsilon: "nll", nats a token; "error", the share of places where another answer came first.
        level: probability with which the bound holds.
        block: tokens of a block that counts as independent; whole sequences unless given.
        rounds: how often heads are promoted at most.
        prefill: for a plan of decoding, how many tokens are read before the cache evicts; seven eighths of a sequence unless given.
        probes: texts of each probe; 0 asks none.
        timed: rounds on the clock; 0 takes no time.
        seed: of the bootstrap and the probes.
    """

    metric: Metric = "nll"
    level: float = 0.95
    block: int | None = None
    rounds: int = 8
    prefill: int | None = None
    probes: int = 2
    timed: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("metric", self.metric, ("nll", "error"))
        require(0.5 < self.level < 1, "level", f"lies between 0.5 and 1, found {self.level}; 0.95 would work")
        positive({"block": self.block, "prefill": self.prefill})
        for name, value in (("rounds", self.rounds), ("probes", self.probes), ("timed", self.timed)):
            require(value >= 0, name, f"must be 0 or more, found {value}")
