"""What is said of scenes and asked about them, against readings of the places that share nothing with the grammar's code."""

from __future__ import annotations

import re
from random import Random

import pytest
import torch

from heedful.data.captions.grammar import COUNTS, Item, caption, how_many, relation, several, thing, what, where
from heedful.data.captions.layouts import CLEAR, GAP, OVER, layouts
from heedful.errors import DataError

NOUNS = ("bag", "boot", "dress", "trousers")
CLAUSE = re.compile(r"(?:an? )?(\w+) (left of|right of|above|below) (?:it|(?:an? )?(\w+))$")


def drawn(chance: Random) -> list[Item]:
    """Things from left to right, none of them level, in line or on a diagonal with another."""
    many = chance.randint(1, 4)
    xs, ys = sorted(chance.sample(range(1, 97, 3), many)), chance.sample(range(2, 97, 3), many)
    if any(abs(xs[i] - xs[j]) == abs(ys[i] - ys[j]) for i in range(many) for j in range(i)):
        return drawn(chance)
    return [Item(chance.choice(NOUNS), x / 100, y / 100) for x, y in zip(xs, ys, strict=True)]


def direction(one: Item, other: Item) -> str:
    """By angle: which quarter of the circle around the other."""
    turn = torch.atan2(torch.tensor(other.y - one.y, dtype=torch.float64), torch.tensor(one.x - other.x, dtype=torch.float64))
    return ("right of", "above", "left of", "below")[int(((turn / torch.pi * 2).round() % 4).item())]


def test_a_caption_reads_back_to_its_scene() -> None:
    chance = Random(0)
    for _ in range(200):
        items = drawn(chance)
        first, *more = caption(items).split(", ")
        if len(items) == 1:
            assert first == thing(items[0].noun)
            continue
        match = CLAUSE.fullmatch(first)
        assert match is not None
        assert match.groups() == (items[0].noun, direction(items[0], items[1]), items[1].noun)
        for clause, before, item in zip(more, items[1:-1], items[2:], strict=True):
            match = CLAUSE.fullmatch(clause)
            assert match is not None
            assert match.groups() == (item.noun, direction(item, before), None)


def test_every_question_has_the_one_answer_that_the_scene_gives() -> None:
    chance = Random(1)
    asked = 0
    for _ in range(200):
        items = drawn(chance)
        nouns = [item.noun for item in items]
        for said in (*what(items)[0], *what(items)[1]):
            match = re.fullmatch(r"what is ([a-z ]+) the (\w+)\?", said.question)
            assert match is not None
            assert nouns.count(match[2]) == 1
            known = items[nouns.index(match[2])]
            there = [item.noun for item in items if item is not known and direction(item, known) == match[1]]
            assert said.answer == ("nothing" if not there else thing(there[0]))
            assert len(there) < 2
            asked += 1
        for said in where(items):
            match = re.fullmatch(r"where is the (\w+), seen from the (\w+)\?", said.question)
            assert match is not None
            one, other = (items[nouns.index(noun)] for noun in match.groups())
            assert direction(one, other).removesuffix(" of") == said.answer
        there, none = how_many(items, NOUNS)
        assert {said.question: COUNTS.index(said.answer) for said in (*there, *none)} == {
            f"how many {several(noun)} are there?": nouns.count(noun) for noun in NOUNS
        }
        assert all(said.answer == "none" for said in none)
    assert asked > 500


def test_a_relation_turns_round() -> None:
    other = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    one, two = Item("a", 0.2, 0.3), Item("b", 0.5, 0.9)
    assert relation(two, one) == other[relation(one, two)] == "below"


@pytest.mark.parametrize("items", [1, 2, 3, 4])
def test_layouts_are_clear(items: int) -> None:
    found = layouts(300, items, torch.tensor([14, 17, 20]), 64, torch.Generator().manual_seed(0))
    assert found.sides.shape == (300, items)
    assert bool((found.left >= 0).all())
    assert bool((found.left + found.sides <= 64).all())
    assert bool((found.top + found.sides <= 64).all())
    for sides, left, top in zip(*(part.double() for part in found), strict=True):
        x, y = left + sides / 2, top + sides / 2
        assert bool((x.diff() >= GAP * 64).all())
        for i in range(items):
            for j in range(i):
                across, down = float(x[i] - x[j]), float(abs(y[i] - y[j]))
                most, least = max(across, down), min(across, down)
                assert most >= CLEAR * least
                assert most >= (1 - OVER) * float(sides[i] + sides[j]) / 2


def test_things_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"a larger data\.size"):
        layouts(1, 4, torch.tensor([30]), 32, torch.Generator())
