"""What was measured of a method on a run's texts: whether its explanations may be shown, and under which number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from heedful.explanations.faithfulness.interval import Interval


@dataclass(frozen=True, slots=True)
class Standing:
    """Mean comprehensiveness and sufficiency of a method over `texts`, and how far their difference is above chance."""

    method: str
    texts: int
    data: str
    comprehensiveness: float
    sufficiency: float
    over_random: Interval

    @property
    def holds(self) -> bool:
        """Whether it does better than random scores, with all of its 95% interval."""
        return self.over_random.above

    def words(self) -> str:
        """One sentence for a reader."""
        what = f"Measured on {self.texts} texts of {self.data}"
        gap = f"{self.over_random.mean:+.3f} (95%: {self.over_random.low:+.3f} to {self.over_random.high:+.3f})"
        if not self.holds:
            return f"{what}, {self.method} does no better than scores drawn at random ({gap}), so nothing is coloured."
        return (
            f"{what}: taking away what {self.method} puts first costs {self.comprehensiveness:.3f} of the probability, "
            f"keeping it alone {self.sufficiency:.3f}; against random scores {gap}."
        )

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self), "holds": self.holds}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Standing:
        """From what `record` gave."""
        fields = {name: value for name, value in kept.items() if name in cls.__slots__}
        return cls(**{**fields, "over_random": Interval(**kept["over_random"])})
