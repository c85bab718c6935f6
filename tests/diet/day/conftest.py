"""Readers with a taste: they like one subject, whatever source tells of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from heedful.diet.day.day import Morning
from heedful.diet.day.piece import DAY, Past, Piece
from heedful.diet.day.wishes import Wishes

NOW = 1_700_000_000.0
WORDS = [[f"{subject}{i}" for i in range(60)] for subject in ("river", "match", "court", "opera")]


def piece(rng: np.random.Generator, key: str, subject: int, age: float = 1.0) -> Piece:
    """An item on a subject, from any of twelve sources."""
    words = " ".join(rng.choice(WORDS[subject], 30))
    return Piece(
        key,
        words,
        f"source {int(rng.integers(12))}",
        float(rng.uniform(1, 8)),
        NOW - age * DAY * float(rng.uniform(0, 3)),
        f"topic {int(rng.integers(5))}",
        f"view {int(rng.integers(3))}",
        ("brief", "article", "long")[int(rng.integers(3))],
        rate=float(rng.uniform(0, 30)),
    )


def reads(rng: np.random.Generator, count: int) -> list[Past]:
    """What a reader who likes rivers and no matches made of items."""
    found = []
    for i in range(count):
        subject = int(rng.integers(4))
        worth = {0: 0.9, 1: -0.9}.get(subject, 0.0) + float(rng.normal(0, 0.1))
        found.append(Past(piece(rng, f"past {i}", subject), float(np.clip(worth, -1, 1)), NOW - DAY * (count - i)))
    return found


Mornings = Callable[..., Morning]


@pytest.fixture
def a_morning() -> Mornings:
    """So many items after so many reads."""

    def made(items: int = 60, past: int = 40, minutes: float = 30.0, seed: int = 0, wishes: Wishes = Wishes()) -> Morning:  # noqa: B008
        rng = np.random.default_rng(seed)
        pieces = [piece(rng, f"item {i}", i % 4) for i in range(items)]
        return Morning(pieces, reads(rng, past), wishes, minutes, NOW, seed)

    return made
