"""What a reader wants of a day: minutes, five sliders, targets, and the weights of the reward; all to be seen and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from heedful.diet.edition.menu import Appetite, Bound, Diet
from heedful.diet.reward import Reward
from heedful.errors import DataError, UsageError

SLIDERS: Final = {
    "curiosity": "a share of the minutes for sources and topics that are not known yet",
    "variety": "how much covering more topics and viewpoints is worth in itself",
    "freshness": "how much today's counts over last week's",
    "length": "0 short items, 1 long ones",
    "quiet": "a share of the minutes for sources that publish little",
}
SHARE: Final = 0.3  # of the minutes, that a slider of 1 sets apart
LOUD: Final = 0.4  # of the minutes, that one source may take
SHORTEST: Final = 2.0  # minutes that a share must come to: a smaller one would be filled by an item several times as long
ROOM: Final = 10.0  # minutes that one source may take in any case
KNOWN: Final = "new to you"
QUIET: Final = "quiet source"


@dataclass(frozen=True)
class Wishes:
    """A reader's settings.

    Arguments:
        minutes: of an ordinary day.
        curiosity, variety, freshness, length, quiet: the sliders, 0 to 1.
        worth: what a minute spent otherwise is worth; what promises less is left out, and the edition ends early.
        targets: shares of the minutes by topic that the reader aims at.
        reward: what is made of what came of an item: its weights.
    """

    minutes: float = 30.0
    curiosity: float = 0.3
    variety: float = 0.5
    freshness: float = 0.5
    length: float = 0.5
    quiet: float = 0.3
    worth: float = 0.0
    targets: Mapping[str, float] = field(default_factory=dict)
    reward: Reward = field(default_factory=Reward)

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= 1440:
            raise UsageError(f"minutes is {self.minutes:g}: above 0, and at most the 1,440 of a day, would work")
        for name in SLIDERS:
            value = vars(self)[name]
            if not 0 <= value <= 1:
                raise UsageError(f"{name} is {value:g}: 0 to 1 would work")
        if not -1 <= self.worth <= 1:
            raise UsageError(f"worth is {self.worth:g}: -1 to 1 would work")
        if any(not 0 <= share <= 1 for share in self.targets.values()) or sum(self.targets.values()) > 1 + 1e-9:
            raise UsageError(f"targets add up to {sum(self.targets.values()):g}: shares of 0 to 1 that add up to 1 at most would work")

    def record(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Wishes:
        """From JSON; what is not there is as it is by default.

        >>> Wishes.of({"minutes": 10, "reward": {"opened": 0.5}}).reward.opened
        0.5

        Raises `DataError` for names that there are not, `UsageError` for values out of range.
        """
        known = {one.name for one in fields(cls)}
        counted = {one.name for one in fields(Reward)}
        strange = (set(record) - known) | (set(record.get("reward", {})) - counted)
        if strange:
            raise DataError(f"settings name {', '.join(sorted(strange))}: {', '.join(sorted(known | counted))} would work")
        try:
            return replace(cls(), **{**record, "reward": Reward(**record.get("reward", {}))})
        except TypeError as error:
            raise DataError(f"settings cannot be read ({error}): numbers would work") from None

    def prior(self) -> dict[str, float]:
        """What a reader without a past is taken to value, by the names of the features."""
        return {
            "start": 0.1,
            "topic": 0.5,
            "source": 0.4,
            "viewpoint": 0.1,
            "depth": 0.2,
            "words": 0.8,
            "fresh": 0.4 * self.freshness,
            "retold": 0.1,
            "quiet": 0.3 * self.quiet,
            "length": 0.1,
        }

    def diet(self, minutes: float, sources: int = 9) -> Diet:
        """What a day's edition must keep to.

        Arguments:
            sources: how many there are to choose from; of fewer than three none is held back.
        """
        shares = (("familiarity", KNOWN, SHARE * self.curiosity), ("loudness", QUIET, SHARE * self.quiet))
        bounds = [Bound(facet, group, least=least) for facet, group, least in shares if least * minutes >= SHORTEST]
        if sources >= 3:
            bounds.append(Bound("source", None, most=min(1.0, max(LOUD, ROOM / minutes))))
        appetites = (
            Appetite("topic", 0.3 * self.variety, 0.25, dict(self.targets)),
            Appetite("source", 0.1 * self.variety, 0.15),
            Appetite("viewpoint", 0.15 * self.variety, 0.3),
            Appetite("depth", 0.1 * self.variety, 0.4),
        )
        return Diet(minutes, self.worth, appetites, tuple(bounds), redundancy=2.0)
