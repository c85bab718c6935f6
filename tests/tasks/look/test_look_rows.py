from __future__ import annotations

import json

import pytest
import torch

from heedful.attention.attend import attend
from heedful.attention.linear.table import FEATURE_MAPS
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.table import MASKS
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.errors import UsageError
from heedful.explanations.weights import away, distance, entropy
from heedful.layers.gates.table import GATES
from heedful.tasks.look.look import look
from heedful.tasks.look.page import look_page
from heedful.tasks.look.row import Row
from heedful.tasks.look.vectors import RandomVectors

SENTENCE = "I love to read books."


def rows_of(sentence: str, seed: int = 0) -> dict[tuple[str, str], Row]:
    return {(row.family, row.name): row for row in look([sentence], RandomVectors(seed), seed).pairs[0].rows}


def test_every_row_of_every_table_is_looked_at() -> None:
    families = {"score": SCORES, "weighting": WEIGHTINGS, "linear": FEATURE_MAPS, "mask": MASKS, "position": POSITIONS, "gate": GATES}
    assert set(rows_of(SENTENCE)) == {(family, row.name) for family, table in families.items() for row in table}


def test_scaled_dot_is_the_measure_of_all() -> None:
    rows = rows_of(SENTENCE)
    assert rows["score", "scaled_dot"].away == 0.0
    assert rows["weighting", "softmax"].changed == 0.0
    assert all(
        row.away is None or row.away > 0 for key, row in rows.items() if key not in {("score", "scaled_dot"), ("weighting", "softmax")}
    )


def test_weights_are_those_of_attend() -> None:
    vectors = RandomVectors(3)
    x = vectors.stream(SENTENCE)
    out, weights = attend(*vectors.project(x, x), mask=Causal(), return_weights=True)
    row = rows_of(SENTENCE, seed=3)["mask", "causal"]
    assert row.weights is not None
    assert torch.equal(row.weights, weights[0])
    assert torch.allclose(row.out.reshape(6, 4, 16).transpose(0, 1), out[0])


def test_linear_attention_puts_out_what_its_weights_say() -> None:
    vectors = RandomVectors(0)
    x = vectors.stream(SENTENCE)
    v = vectors.project(x, x).v[0]
    for row in FEATURE_MAPS:
        seen = rows_of(SENTENCE)["linear", row.name]
        assert seen.weights is not None
        assert torch.allclose((seen.weights @ v).transpose(0, 1).reshape(6, 64), seen.out, atol=1e-5)


def test_equal_words_have_equal_vectors_in_every_sentence() -> None:
    vectors = RandomVectors(0)
    first, second = vectors.stream("read more"), vectors.stream("I read")
    assert torch.equal(first[0, 0], second[0, 1])
    assert not torch.equal(first[0, 0], RandomVectors(1).stream("read")[0, 0])


def test_the_seed_repeats_everything_and_leaves_torchs_own_numbers_alone() -> None:
    torch.manual_seed(7)
    first = json.dumps(look([SENTENCE], RandomVectors(5), 5).record())
    after = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(1))
    assert json.dumps(look([SENTENCE], RandomVectors(5), 5).record()) == first
    assert json.dumps(look([SENTENCE], RandomVectors(6), 6).record()) != first


def test_the_first_sentence_reads_the_others() -> None:
    seen = look(["I read", "我爱读书", "three short words"], RandomVectors(0), 0)
    assert [(len(pair.queries), len(pair.keys)) for pair in seen.pairs] == [(2, 2), (4, 4), (3, 3), (2, 4), (2, 3)]
    across = seen.pairs[3]
    assert {row.family for row in across.rows} == {"score", "weighting", "linear"}
    assert all(row.weights is not None and row.weights.shape == (4, 2, 4) and row.distance is None for row in across.rows)


def test_the_same_sentence_twice_reads_itself_across() -> None:
    seen = look(["a b", "a b"], RandomVectors(0), 0)
    assert len(seen.pairs) == 3


@pytest.mark.parametrize("sentences", [[], ["a"] * 5])
def test_one_to_four_sentences(sentences: list[str]) -> None:
    with pytest.raises(UsageError, match="1 to 4 sentences"):
        look(sentences, RandomVectors(0), 0)


@pytest.mark.parametrize("sentence", ["Read", "one two", " ".join(["word"] * 63)])
def test_odd_lengths(sentence: str) -> None:
    for row in rows_of(sentence).values():
        assert row.out.isfinite().all()
        assert row.weights is None or row.weights.isfinite().all()


def test_measures() -> None:
    still, uniform = torch.eye(4)[None], torch.full((1, 4, 4), 0.25)
    assert entropy(still) == 0.0
    assert entropy(uniform) == pytest.approx(1.3863, abs=1e-4)
    assert distance(still) == 0.0
    assert distance(uniform) == pytest.approx(1.25)
    assert away(still, uniform) == pytest.approx(0.75)
    assert entropy(torch.zeros(1, 4, 4)) == distance(torch.zeros(1, 4, 4)) == 0.0


def test_the_page_of_long_sentences_keeps_its_size() -> None:
    sentences = [" ".join(f"word{i}x{j}" for i in range(100)) for j in range(4)]
    whole = look_page(look(sentences, RandomVectors(0), 0))
    assert len(whole.encode()) < 2_000_000


def test_the_page_shows_every_mechanism_and_escapes_the_words() -> None:
    whole = look_page(look(["<script>alert(1)</script> reads"], RandomVectors(0), 0))
    assert whole.count("<script>") == 1
    assert all(row.name in whole for table in (SCORES, MASKS, GATES) for row in table)
