"""Where each action of a SCAN command comes from, by the grammar that the data were made with (Lake & Baroni 2018, arXiv 1711.00350, §2).

The sure word of an action is the verb, or the direction, that names it; possible ones are what repeats or turns it: around, opposite,
twice, thrice, and turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

VERBS: Final = {"walk": "I_WALK", "look": "I_LOOK", "run": "I_RUN", "jump": "I_JUMP"}
TURNS: Final = {"left": "I_TURN_LEFT", "right": "I_TURN_RIGHT"}
TIMES: Final = {"twice": 2, "thrice": 3}
ORDERS: Final = ("and", "after")


@dataclass(frozen=True)
class Action:
    """One action, the place of the word that names it, and those of the words that may be said to call it too."""

    name: str
    sure: int
    possible: tuple[int, ...] = ()


def aligned(command: Sequence[str], actions: Sequence[str]) -> list[Action] | None:
    """The actions of a command, each with its words; None where it is no such command, or these are not its actions.

    >>> [(each.name, each.sure, each.possible) for each in aligned("jump left twice".split(), ["I_TURN_LEFT", "I_JUMP"] * 2)][:2]
    [('I_TURN_LEFT', 1, (2,)), ('I_JUMP', 0, (2,))]
    >>> aligned(["dance"], ["I_DANCE"]) is None
    True
    """
    found = meant(list(enumerate(command)))
    return found if found is not None and [each.name for each in found] == list(actions) else None


def meant(words: list[tuple[int, str]]) -> list[Action] | None:
    """What a command means."""
    at = next((i for i, (_, word) in enumerate(words) if word in ORDERS), None)
    if at is None:
        return repeated(words)
    one, other = meant(words[:at]), meant(words[at + 1 :])
    if one is None or other is None:
        return None
    return one + other if words[at][1] == "and" else other + one


def repeated(words: list[tuple[int, str]]) -> list[Action] | None:
    """A phrase with or without how often."""
    if not words:
        return None
    place, last = words[-1]
    if last not in TIMES:
        return phrase(words)
    found = phrase(words[:-1])
    return None if found is None else TIMES[last] * [replace(each, possible=(*each.possible, place)) for each in found]


def phrase(words: list[tuple[int, str]]) -> list[Action] | None:
    """A verb by itself, to a side, to the opposite side, or around."""
    spoken = [word for _, word in words]
    if not spoken or spoken[0] not in (*VERBS, "turn"):
        return None
    places = [place for place, _ in words]
    if len(words) == 1:
        return [Action(VERBS[spoken[0]], places[0])] if spoken[0] in VERBS else None
    if len(words) > 3 or spoken[-1] not in TURNS or (len(words) == 3 and spoken[1] not in ("opposite", "around")):
        return None
    how = tuple(places[1:-1])
    turn = Action(TURNS[spoken[-1]], places[-1], how if spoken[0] in VERBS else (places[0], *how))
    act = [Action(VERBS[spoken[0]], places[0], how)] if spoken[0] in VERBS else []
    if len(words) == 2:
        return [turn, *(replace(each, possible=()) for each in act)]
    return [turn, turn, *act] if spoken[1] == "opposite" else 4 * [turn, *act]
