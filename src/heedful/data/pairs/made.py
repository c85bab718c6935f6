"""Pairs that are made on the spot, so that nothing has to be downloaded: dates as people write them, and numbers in words."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from heedful.data.pairs.news import news
from heedful.data.pairs.pairs import Pairs

COUNT: Final = 6000
FIRST: Final = date(1900, 1, 1)
DAYS: Final = 73_049  # to the end of 2099
MONTHS: Final = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
WEEK: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def dates() -> Pairs:
    """Dates in ten ways of writing, and as ISO 8601 has them.

    >>> pairs = dates()
    >>> len(pairs), len(pairs.targets[0])
    (6000, 10)
    """
    draw = random.Random(0)
    found: dict[str, str] = {}
    while len(found) < COUNT:
        day = FIRST + timedelta(days=draw.randrange(DAYS))
        found.setdefault(WAYS[draw.randrange(len(WAYS))](day), day.isoformat())
    return Pairs(tuple(found), tuple(found.values()))


def numbers() -> Pairs:
    """Numbers below a million in words, and in figures.

    >>> dict(zip(numbers().targets, numbers().sources))["12"]
    'twelve'
    """
    draw = random.Random(0)
    rest = draw.sample(range(100, 1_000_000), COUNT - 100)
    whole = [*range(100), *rest]
    draw.shuffle(whole)
    return Pairs(tuple(words(n) for n in whole), tuple(map(str, whole)))


def words(number: int) -> str:
    """A number below a million in words.

    >>> words(42_017)
    'forty-two thousand seventeen'
    """
    if number >= 1000:
        rest = number % 1000
        return f"{words(number // 1000)} thousand" + (f" {words(rest)}" if rest else "")
    if number >= 100:
        rest = number % 100
        return f"{ONES[number // 100]} hundred" + (f" {words(rest)}" if rest else "")
    if number >= 20:
        rest = number % 10
        return TENS[number // 10 - 2] + (f"-{ONES[rest]}" if rest else "")
    return ONES[number]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def month(day: date) -> str:
    """Its month by name."""
    return MONTHS[day.month - 1]


WAYS: Final[tuple[Callable[[date], str], ...]] = (
    lambda day: f"{day.day} {month(day)} {day.year}",
    lambda day: f"{month(day)} {day.day}, {day.year}",
    lambda day: f"{WEEK[day.weekday()]}, {day.day} {month(day)} {day.year}",
    lambda day: f"the {ordinal(day.day)} of {month(day)} {day.year}",
    lambda day: f"{day.day}. {day.month}. {day.year}",
    lambda day: f"{day.day:02}/{day.month:02}/{day.year}",
    lambda day: f"{month(day)[:3]} {ordinal(day.day)} {day.year}",
    lambda day: f"{day.day} {month(day)[:3].lower()} {day.year}",
    lambda day: f"{WEEK[day.weekday()][:3]} {day.day} {month(day)[:3]} {day.year}",
    lambda day: f"{day.year} {month(day)} {day.day}",
)

MADE: Final[dict[str, Callable[[], Pairs]]] = {"dates": dates, "numbers": numbers, "news": news}
