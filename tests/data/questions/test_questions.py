"""Questions from tables, folders and sets: what is an entry, what is asked, and what is outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heedful.data.questions.sources import load_questions
from heedful.data.questions.stackfaq import several
from heedful.errors import DataError
from heedful.spec.questions import QuestionSpec


def test_a_table_of_classes_keeps_what_is_outside_for_the_threshold(tmp_path: Path) -> None:
    path = tmp_path / "intents.csv"
    lines = [f"where is my {word} {i},{word}" for word in ("card", "pin") for i in range(20)] + ["what is the weather,oos"]
    path.write_text("text,intent\n" + "\n".join(lines) + "\n")
    found = load_questions(QuestionSpec(str(path)))
    assert found.labels == ("card", "pin")
    assert found.strangers == ("what is the weather",)
    assert sorted(found.parts["validation"].labels) == ["card"] * 2 + ["pin"] * 2
    assert len(found.entries) == 36
    assert not set(found.entries.texts) & set(found.parts["validation"].texts)


def test_a_table_of_answers_learns_from_their_sentences(tmp_path: Path) -> None:
    path = tmp_path / "faq.jsonl"
    rows = [
        {"question": f"How do I do {i}?", "answer": f"First open menu {i}. Then press the key {i} twice. Done now, wait."}
        for i in range(10)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = load_questions(QuestionSpec(str(path)))
    assert found.entries.texts == found.entries.labels == tuple(row["question"] for row in rows)
    assert found.answers["How do I do 3?"] == rows[3]["answer"]
    assert len(found.learnt) + len(found.parts["validation"]) == 10 + 30
    assert not found.asked_for


def test_a_class_of_one_question_is_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "some.tsv"
    path.write_text("question\tlabel\n" + "a one\tx\na two\tx\na three\tx\nb one\ty\nb two\ty\nc alone\tz\n")
    found = load_questions(QuestionSpec(str(path), validation=0.3))
    assert "c alone" in found.entries.texts
    assert "z" not in found.parts["validation"].labels


def test_a_folder_brings_its_own_parts(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n" + "a b,x\nc d,y\n" * 3)
    (tmp_path / "valid.csv").write_text("text,label\na,x\nc,y\n")
    found = load_questions(QuestionSpec(str(tmp_path)))
    assert (len(found.entries), found.parts["validation"].texts) == (6, ("a", "c"))


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("text,label\na,x\nb,\n", "row 2: nothing in column 'label'"),
        ("words,label\na,x\n", "no column with a usual name for the question"),
        ("text,label\n" + "a,x\n" * 4, "1 class of questions"),
    ],
)
def test_a_table_that_will_not_do_is_refused(tmp_path: Path, body: str, part: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(body)
    with pytest.raises(DataError, match=part):
        load_questions(QuestionSpec(str(path)))


def test_a_source_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'stackfaq'"):
        load_questions(QuestionSpec("stackfac"))


def test_what_python_carries_has_topics_with_several_questions_each() -> None:
    found = load_questions(QuestionSpec())
    assert len(found.labels) > 30
    assert min(map(len, (found.parts["validation"], found.parts["test"]))) > 100
    whole = [*found.entries.texts, *found.parts["validation"].texts, *found.parts["test"].texts]
    assert len(set(whole)) == len(whole)


def threads(home: Path) -> QuestionSpec:
    """StackFAQ's layout: 4 threads, two annotators' paraphrases apart by a lone star, one answer or several."""
    (home / "stackfaq").mkdir(parents=True)
    rows = [
        {
            "question": f"How to fold {word}",
            "answer": [f"Take the {word} and fold it.", f"Never fold any {word} at all."] if i % 2 else f"Just fold the {word} twice.",
            "rephr": [f"folding {word} {n}" for n in range(5)] + ["*"] + [f"how is {word} folded {n}" for n in range(5)] + [None],
        }
        for i, word in enumerate(("paper", "cloth", "maps", "chairs"))
    ]
    (home / "stackfaq" / "stackExchange-FAQ.json").write_text(json.dumps({"root": {"qapair": rows}}))
    return QuestionSpec("stackfaq")


def test_stackfaqs_folds_share_no_query_and_miss_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    threads(tmp_path)
    tests = [load_questions(QuestionSpec("stackfaq", fold=fold)) for fold in range(5)]
    asked = [text for found in tests for text in found.parts["test"].texts]
    assert len(asked) == len(set(asked)) == 40
    for found in tests:
        assert not set(found.parts["test"].texts) & {*found.learnt.texts, *found.parts["validation"].texts}
        assert len(found.parts["test"]) + len(found.parts["validation"]) + len(found.entries) == 44
    alone = load_questions(QuestionSpec("stackfaq", queries=False))
    assert (len(alone.entries), len(alone.parts["test"])) == (4, 40)
    assert not set(alone.parts["test"].texts) & {*alone.learnt.texts, *alone.parts["validation"].texts}


def test_separators_and_empty_places_are_no_paraphrases() -> None:
    assert several(["a", "*", None, " b ", ""]) == ["a", "b"]
    assert several("one") == ["one"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "entries", "validation", "test", "classes"),
    [("banking77", 9000, 1003, 3080, 77), ("clinc150", 15000, 3100, 5500, 150), ("stackfaq", 1025, 99, 250, 125)],
)
def test_the_real_sets_have_the_sizes_of_their_readme(name: str, entries: int, validation: int, test: int, classes: int) -> None:
    from heedful.data.sources import data_home

    if not (data_home() / name).is_dir():
        pytest.skip(f"{name} is not under $HEEDFUL_DATA")
    found = load_questions(QuestionSpec(name))
    assert (len(found.entries), len(found.parts["validation"]), len(found.parts["test"]), len(found.labels)) == (
        entries,
        validation,
        test,
        classes,
    )
