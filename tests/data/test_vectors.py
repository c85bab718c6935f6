"""Vectors of words: their matrix against counting by hand, and what they are for."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from heedful.data.labelled.unlabelled import texts_of
from heedful.data.vectors import WINDOW, Vectors, alike, information, word_vectors
from heedful.errors import DataError
from heedful.spec.data import DataSpec

ANIMALS = [
    f"the {animal} {verb} the {food} ." for animal in ("cat", "dog", "horse") for verb in ("eats", "likes") for food in ("meat", "grass")
]
MONEY = [f"profit {verb} by {count} percent" for verb in ("rose", "fell") for count in (3, 14, 159)]


def by_hand(row: list[int], size: int) -> np.ndarray:
    """Positive information of pairs within the window, by its definition, in Python's own arithmetic."""
    near: dict[tuple[int, int], float] = defaultdict(float)
    for i, j in combinations(range(len(row)), 2):
        if j - i <= WINDOW:
            for pair in ((row[i], row[j]), (row[j], row[i])):
                near[pair] += (WINDOW + 1 - (j - i)) / WINDOW
    mine = [sum(near[a, b] for b in range(size)) for a in range(size)]
    whole = sum(count**0.75 for count in mine)
    found = np.zeros((size, size))
    for (a, b), count in near.items():
        if count:
            found[a, b] = max(0.0, math.log(count / (mine[a] * mine[b] ** 0.75 / whole)))
    return found


def test_the_matrix_is_the_information_of_pairs_counted_by_hand() -> None:
    row = np.random.default_rng(0).integers(0, 7, 60)
    found = information(row, 7).toarray()
    assert np.allclose(found, by_hand(row.tolist(), 7), rtol=1e-5, atol=1e-6)


def test_no_pair_reaches_from_one_text_into_the_next() -> None:
    apart = information(np.array([0, 1, *[-1] * WINDOW, 2, 3, *[-1] * WINDOW]), 4).toarray()
    assert not apart[:2, 2:].any()
    assert apart[0, 1] > 0


def test_words_of_the_same_company_are_near_each_other() -> None:
    found = word_vectors((ANIMALS + MONEY) * 6, dim=6)

    def near(a: str, b: str) -> float:
        first, second = (found.rows[found.places()[word]] for word in (a, b))
        return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    assert near("cat", "dog") > near("cat", "profit") + 0.5
    assert near("rose", "fell") > near("rose", "grass") + 0.5


def test_every_number_has_the_vector_of_numbers() -> None:
    found = word_vectors((ANIMALS + MONEY) * 6, dim=6)
    assert "159" not in found.words
    assert alike("27") in found.places()
    assert alike("zebra") not in found.places()


def test_too_few_words_are_refused() -> None:
    with pytest.raises(DataError, match="more than 50 would make vectors of 50"):
        word_vectors(ANIMALS, dim=50)


def test_texts_without_classes_come_from_a_table_or_from_lines(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n".join(f"Line {i}" for i in range(20)), encoding="utf-8")
    (tmp_path / "table.csv").write_text("text,label\n" + "".join(f"Row {i},{i % 2}\n" for i in range(20)), encoding="utf-8")
    spec = DataSpec(lowercase=True)
    assert texts_of(str(tmp_path / "lines.txt"), spec)[:2] == ("line 0", "line 1")
    assert set(texts_of(str(tmp_path / "table.csv"), spec)) <= {f"row {i}" for i in range(20)}


def test_rows_have_the_length_one_on_average() -> None:
    found: Vectors = word_vectors(ANIMALS * 6, dim=4)
    assert np.linalg.norm(found.rows, axis=1).mean() == pytest.approx(1.0, abs=1e-6)
