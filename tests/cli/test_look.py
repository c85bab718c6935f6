from __future__ import annotations

import json
from pathlib import Path

import pytest

from heedful.__main__ import main


def test_a_sentence_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "I love to read books."]) == 0
    shown = capsys.readouterr().out
    assert "nothing here was learnt" in shown
    assert "query_biased" in shown
    assert "Distance from scaled dot product" in shown
    assert "squeeze_excitation" in shown
    assert "█" in shown


def test_lines_fit_eighty_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["look", "我爱读书，注意力是有限的资源。", "I love to read books."]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "我爱读书。", "I read.", "--json", "--seed", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sentences"] == ["我爱读书。", "I read."]
    assert found["pairs"][0]["queries"] == ["我", "爱", "读", "书", "。"]
    assert len(found["pairs"]) == 3


def test_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "look.html"
    assert main(["look", "I read.", "--out", str(page)]) == 0
    assert capsys.readouterr().out.rstrip().endswith(str(page))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("words", [[], [""], ["a", "b", "c", "d", "e"], ["a", "--run", "nowhere"]])
def test_bad_input_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "look.html"
    assert main(["look", *words, "--out", str(page)]) in (1, 2)
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert shown.out == ""
    assert not page.exists()
