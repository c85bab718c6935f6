"""What a head seems to do, in one line with the number that says so; never why the model predicts what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from heedful.manage.patterns import NEAR

Masses = Mapping[str, float]


class Role(NamedTuple):
    """A word for what a head looks at, and its evidence."""

    name: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.name}: {self.evidence}"


HALF = 0.5  # of the weight: what a head is named after takes most of it
MUCH = 0.25  # induction is named from a quarter, where that is far more than chance
LIFT = 10.0
WHOLE = 0.9
FLAT = 0.9  # of the entropy of weights that are all alike


def role(found: Masses) -> Role:
    """The first that holds of: a single place, induction, sinks, near places, all places alike; else mixed.

    >>> str(role({"previous": 0.93, "self": 0.02, "near": 0.99, "distance": 1.4, "entropy": 0.3, "uniform": 5.0}))
    'previous token: .93 of its weight'
    """
    single = {"previous": "previous token", "self": "own token", "next": "next token", "last": "last token"}
    for name, word in single.items():
        if found.get(name, 0.0) >= HALF:
            return Role(word, f"{share(found[name])} of its weight")
    if found.get("induction", 0.0) >= max(MUCH, LIFT * found.get("repeated", 1.0)):
        return Role(
            "induction", f"{share(found['induction'])} on what followed the same token before, {share(found['repeated'])} by chance"
        )
    if found.get("first", 0.0) >= HALF:
        return Role("first token", f"{share(found['first'])} of its weight")
    if found.get("sinks", 0.0) >= HALF:
        return Role("sinks", f"{share(found['sinks'])} on the first four tokens")
    if found["uniform"] > 0 and found["entropy"] >= FLAT * found["uniform"]:
        return Role("even", f"{share(found['entropy'] / found['uniform'])} of the entropy of equal weights")
    if found.get("near", 0.0) >= WHOLE:
        return Role("local", f"{share(found['near'])} within {NEAR} tokens")
    return Role("mixed", f"{share(found.get('near', 0.0))} within {NEAR} tokens, {found['distance']:.0f} tokens away on average")


def share(value: float) -> str:
    """Two digits after the point.

    >>> share(0.934), share(1.0)
    ('.93', '1.00')
    """
    return f"{value:.2f}".removeprefix("0") if value < 0.995 else "1.00"
