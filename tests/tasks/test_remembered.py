"""What was answered is kept for the same question alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from heedful.tasks.remembered import remember, remembered


def test_the_same_question_is_answered_from_the_file(tmp_path: Path) -> None:
    file, said = tmp_path / "trials" / "one.json", {"spec": "a: 1", "part": "test"}
    assert remembered(file, said) is None
    remember(file, said, {"found": ["是", "no"]})
    known = remembered(file, said)
    assert known is not None
    assert known["found"] == ["是", "no"]
    assert remembered(file, {**said, "part": "validation"}) is None
    assert remembered(file, {**said, "beside": True}) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_file_of_something_else_answers_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    assert remembered(tmp_path / "one.json", {"spec": "a"}) is None
