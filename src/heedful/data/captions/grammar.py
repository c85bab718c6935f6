"""What is said of a scene, in one way only, so that a text is right or wrong; and what is asked about it.

    caption  := thing | thing relation thing next*
    next     := ", " thing relation " it"
    relation := "left of" | "right of" | "above" | "below"

Things stand in the order of their centres from left to right, and "it" is the thing named before. A relation is the direction in which two
centres are further apart. Scenes are made so that neither the order nor any direction is close (`data.captions.layouts`).

    what is RELATION the NOUN?               a thing, or nothing; asked where one thing at most stands there and the noun is there once
    where is the NOUN, seen from the NOUN?   left, right, above or below; asked of nouns that are there once
    how many NOUNS are there?                none, one, two, three or four
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

RELATIONS: Final = ("left of", "right of", "above", "below")
COUNTS: Final = ("none", "one", "two", "three", "four")
KINDS: Final = ("what", "where", "how many")


class Item(NamedTuple):
    """A thing in a scene: its noun, and its centre as shares of the sides, x to the right and y down."""

    noun: str
    x: float
    y: float


class Said(NamedTuple):
    """What is asked (nothing: a caption is asked for), what is right, and which kind of text this is."""

    question: str
    answer: str
    kind: str


def thing(noun: str) -> str:
    """A noun with its article.

    >>> thing("eight"), thing("boot"), thing("trousers")
    ('an eight', 'a boot', 'trousers')
    """
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return f"an {noun}" if noun[0].lower() in "aeiou" and noun != "one" else f"a {noun}"


def several(noun: str) -> str:
    """A noun of which there are several.

    >>> several("six"), several("dress"), several("bag"), several("trousers")
    ('sixes', 'dresses', 'bags', 'trousers')
    """
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def relation(one: Item, other: Item) -> str:
    """Where one thing stands, seen from another.

    >>> relation(Item("boot", 0.5, 0.2), Item("bag", 0.6, 0.8))
    'above'
    """
    x, y = one.x - other.x, one.y - other.y
    if abs(x) >= abs(y):
        return "left of" if x < 0 else "right of"
    return "above" if y < 0 else "below"


def caption(items: Sequence[Item]) -> str:
    """The one description of things that stand in order from left to right.

    >>> caption([Item("boot", 0.2, 0.1), Item("bag", 0.3, 0.9), Item("shirt", 0.8, 0.8)])
    'a boot above a bag, a shirt right of it'
    """
    first, *others = items
    if not others:
        return thing(first.noun)
    text = f"{thing(first.noun)} {relation(first, others[0])} {thing(others[0].noun)}"
    for before, item in pairwise(others):
        text += f", {thing(item.noun)} {relation(item, before)} it"
    return text


def single(items: Sequence[Item]) -> list[Item]:
    """The things whose noun is there once."""
    nouns = [item.noun for item in items]
    return [item for item in items if nouns.count(item.noun) == 1]


def what(items: Sequence[Item]) -> tuple[list[Said], list[Said]]:
    """Every question after what stands somewhere that has one answer: those with a thing there, and those with nothing."""
    there, empty = list[Said](), list[Said]()
    for item in single(items):
        for where in RELATIONS:
            found = [other for other in items if other is not item and relation(other, item) == where]
            asked = f"what is {where} the {item.noun}?"
            if len(found) == 1:
                there.append(Said(asked, thing(found[0].noun), "what"))
            elif not found:
                empty.append(Said(asked, "nothing", "what"))
    return there, empty


def where(items: Sequence[Item]) -> list[Said]:
    """Every question after a direction."""
    known = single(items)
    return [
        Said(f"where is the {one.noun}, seen from the {other.noun}?", relation(one, other).removesuffix(" of"), "where")
        for one in known
        for other in known
        if one is not other
    ]


def how_many(items: Sequence[Item], nouns: Sequence[str]) -> tuple[list[Said], list[Said]]:
    """The same question of every noun: of those that are there, and of those that are not."""
    there, none = list[Said](), list[Said]()
    for noun in nouns:
        count = sum(item.noun == noun for item in items)
        said = Said(f"how many {several(noun)} are there?", COUNTS[count], "how many")
        (there if count else none).append(said)
    return there, none
