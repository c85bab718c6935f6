"""A continuation as text: streamed, stopped, repeated by its seed, from any prompt or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.generate import Generate
from heedful.tasks.task import Asked


def asked(max_tokens: int = 30, stop: tuple[str, ...] = (), seed: int | None = 0) -> Asked:
    return Asked(Sampling(), Ending(max_tokens=max_tokens, stop=stop), seed)


def test_the_pieces_are_the_text_and_the_record_is_json(run: Path) -> None:
    (answer,) = Generate().predict(run, ["to be"], asked())
    pieces = list(answer.pieces())
    record = answer.record()
    assert "".join(pieces) == record["text"]
    assert len(pieces) == 30
    assert json.loads(json.dumps(record)) == record
    assert record["prompt_tokens"] == 5
    assert record["ended"] == "length"
    assert record["surprise"] > 0


def test_a_stop_string_ends_the_text_before_it(run: Path) -> None:
    (whole,) = Generate().predict(run, ["to be"], asked())
    text = whole.record()["text"]
    stop = text[10:12]
    (cut,) = Generate().predict(run, ["to be"], asked(stop=(stop,)))
    assert cut.record()["text"] == text[: text.index(stop)]
    assert cut.record()["ended"] == "stop"


def test_each_input_has_a_seed_of_its_own_that_repeats_it(run: Path) -> None:
    first, second = [answer.record() for answer in Generate().predict(run, ["to be", "to be"], asked(seed=7))]
    assert (first["seed"], second["seed"]) == (7, 8)
    assert first["text"] != second["text"]
    (again,) = Generate().predict(run, ["to be"], asked(seed=8))
    assert again.record()["text"] == second["text"]


def test_without_a_seed_one_is_drawn_and_told(rope_run: Path) -> None:
    (answer,) = Generate().predict(rope_run, ["to be"], asked(seed=None))
    record = answer.record()
    (again,) = Generate().predict(rope_run, ["to be"], asked(seed=record["seed"]))
    assert again.record()["text"] == record["text"]


def test_an_empty_prompt_begins_a_text(run: Path) -> None:
    (answer,) = Generate().predict(run, [""], asked(max_tokens=5))
    assert len(answer.record()["text"]) == 5


def test_a_character_the_vocabulary_has_not_is_named(rope_run: Path) -> None:
    with pytest.raises(UsageError, match="'Z'"):
        list(Generate().predict(rope_run, ["Z"], asked()))
