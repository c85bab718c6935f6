"""Short news that is made on the spot, with titles: a title's fact stands in one sentence among others, under names nobody has seen."""

from __future__ import annotations

import random
from typing import Final

from heedful.data.pairs.pairs import Pairs

COUNT: Final = 6000
BEGINNINGS: Final = ["Var", "Nor", "Kel", "Ost", "Bri", "Tan", "Mel", "Sor", "Gal", "Hin", "Lum", "Pel"]
MIDDLES: Final = ["la", "ri", "to", "ne", "vo", "da", "mi", "su"]
ENDINGS: Final = ["ville", "stad", "by", "ton", "burg", "holm", "field", "more"]
DONE: Final = [("opened", "opens"), ("closed", "closes"), ("sold", "sells"), ("bought", "buys"), ("rebuilt", "rebuilds"), ("lost", "loses")]
THINGS: Final = ["schools", "bridges", "libraries", "hospitals", "parks", "theatres", "factories", "stations"]
FILLERS: Final = [
    "The weather was mild for the season.",
    "Nobody at the town hall wanted to say more.",
    "A second vote is planned for the spring.",
    "People had waited for years.",
    "Critics call the plan expensive.",
    "The neighbours were not asked.",
]


def news() -> Pairs:
    """Articles of three to five sentences, and their titles.

    >>> pairs = news()
    >>> len(pairs), all(title.split()[0] in article for article, title in zip(pairs.sources, pairs.targets))
    (6000, True)
    """
    draw = random.Random(0)
    found = [article(draw) for _ in range(COUNT)]
    return Pairs(tuple(text for text, _ in found), tuple(title for _, title in found))


def article(draw: random.Random) -> tuple[str, str]:
    """One article and its title."""
    name = draw.choice(BEGINNINGS) + "".join(draw.choices(MIDDLES, k=draw.randint(0, 2))) + draw.choice(ENDINGS)
    (past, present), thing, count = draw.choice(DONE), draw.choice(THINGS), draw.randint(2, 99)
    whole = draw.sample(FILLERS, draw.randint(2, 4))
    whole.insert(draw.randrange(len(whole) + 1), f"The town of {name} {past} {count} {thing} this week.")
    return " ".join(whole), f"{name} {present} {count} {thing}"
