"""`heedful diet` as a reader meets it: from nothing to an edition, its reasons, feedback, the label, and everything out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.conftest import Heedful, Said

TEXTS = {
    "rivers.md": "# On rivers\n\nA long river runs to the sea, and nobody knows why. " + "It is long. " * 60,
    "courts.md": "# On courts\n\nThe court decided, and the decision was appealed. " + "It went on. " * 90,
    "读书.md": "# 我爱读书\n\n" + "图书馆里的人在读书。" * 30,
}
Refused = Callable[..., None]


@pytest.fixture
def begun(heedful: Heedful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heedful:
    """A store that follows a folder of three texts."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("HEEDFUL_DIET", str(tmp_path / "diet.sqlite"))
    said = heedful("diet", "init", "--from", str(folder), "--set", "minutes=10", "--yes")
    assert said.code == 0, said.error
    assert "3 new items" in said.out
    assert "is ready" in said.out
    return heedful


def made(heedful: Heedful, *words: str) -> dict[str, object]:
    said = heedful("diet", *words, "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


def test_a_day(begun: Heedful, tmp_path: Path) -> None:
    edition = made(begun, "today")
    items = edition["items"]
    assert isinstance(items, list)
    assert len(items) == 3
    assert edition == made(begun, "today")
    shown = begun("diet", "today").out
    assert "min" in shown
    assert "thompson on simple" in shown
    first = next(str(item["item"]) for item in items if "rivers" in item["title"])
    why = made(begun, "why", first)
    assert why["inside"]
    assert sum(part["value"] for part in why["parts"]) == pytest.approx(why["score"], abs=1e-9)  # type: ignore[attr-defined]
    assert "together" in begun("diet", "why", first).out
    assert "worth your time" in begun("diet", "rate", first, "worth").out
    assert "topic" in begun("diet", "rate", first, "more", "--because", "topic").out
    found = json.loads(begun("diet", "search", "读书", "--json").out.splitlines()[0])
    item = str(found["item"])
    assert found["edition"] == edition["edition"]
    assert "图书馆" in begun("diet", "read", item, "--minutes", "1.5").out
    assert "highlight 1" in begun("diet", "highlight", item, "图书馆", "--text", "哪里?").out
    assert "note 2" in begun("diet", "note", item, "again").out
    assert "again" in begun("diet", "read", item).out
    label = made(begun, "label")
    assert label["items"] == 2
    assert label["spent"] == pytest.approx(sum(label["by"]["source"].values()))  # type: ignore[index]
    assert float(str(label["spent"])) > 1.5
    assert "spent" not in begun("diet", "label", "week", "--out", "label.svg").out
    assert ElementTree.parse(tmp_path / "label.svg").getroot().tag.endswith("svg")
    assert "> 图书馆" in begun("diet", "digest").out


def test_what_goes_out(begun: Heedful, tmp_path: Path) -> None:
    made(begun, "today")
    begun("diet", "rate", "1", "save")
    assert len(ElementTree.fromstring(begun("diet", "share").out.encode()).findall(".//item")) == 1
    assert len(json.loads(begun("diet", "share", "edition", "--form", "json").out)["items"]) == 3
    assert begun("diet", "share", "sources").code == 0  # a folder is nobody else's to follow
    assert begun("diet", "digest", "--out", "week.md").out.strip() == "week.md"
    counts = json.loads(begun("diet", "export", "all.jsonl", "--json").out)
    assert counts["item"] == 3
    assert begun("diet", "init", "--restore", "all.jsonl", "--store", "other.sqlite").code == 0
    before, after = (begun("diet", "search", "river", "--json", *where).out for where in ((), ("--store", "other.sqlite")))
    assert before == after != ""
    assert begun("diet", "erase", "--everything", "--yes").code == 0
    assert "no source yet" in begun("diet", "sources").out


def test_settings_sources_and_models(begun: Heedful) -> None:
    assert "curiosity        0.7" in begun("diet", "settings", "--set", "curiosity=0.7").out
    assert made(begun, "settings")["curiosity"] == 0.7
    assert "texts" in begun("diet", "sources").out
    assert begun("diet", "poll", "--everything").code == 0
    assert "simple model serves" in begun("diet", "judge").out
    assert begun("diet", "add", "--remove", "1").code == 0
    assert "no source yet" in begun("diet", "sources").out


def test_an_edition_of_other_minutes_is_another(begun: Heedful) -> None:
    one, other = made(begun, "today"), made(begun, "today", "--minutes", "1")
    assert one["edition"] != other["edition"]
    assert float(str(other["minutes"])) <= 1
    assert made(begun, "today", "--minutes", "1") == other
    assert made(begun, "today", "--minutes", "1", "--again", "--seed", "3")["edition"] != other["edition"]


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("today", "--minutes", "0"), 2, ("--minutes", "1,440")),
        (("why", "99"), 2, ("no item 99",)),
        (("rate", "1", "good"), 2, ("good", "worth")),
        (("rate", "1", "worth", "--because", "topic"), 2, ("--because",)),
        (("read", "1", "--minutes", "-1"), 2, ("--minutes",)),
        (("highlight", "1", "no such words"), 2, ("does not stand",)),
        (("note", "1", " "), 2, ("empty note",)),
        (("search", "!"), 2, ("nothing to search for",)),
        (("label", "year"), 2, ("year", "month")),
        (("label", "--out", "label.gif"), 2, (".svg",)),
        (("share", "all"), 2, ("edition",)),
        (("share", "edition"), 2, ("no edition yet",)),
        (("share", "saved", "--form", "pdf"), 2, ("rss",)),
        (("settings", "--set", "colour=1"), 2, ("colour", "curiosity")),
        (("add",), 2, ("nothing to add",)),
        (("add", "./nowhere"), 1, ("nowhere", "OPML")),
        (("erase", "--everything"), 2, ("--yes",)),
        (("erase", "--yes"), 2, ("erase one of",)),
        (("digest", "--days", "0"), 2, ("--days",)),
        (("replay",), 2, ("no edition",)),
        (("serve", "--host", "0.0.0.0"), 2, ("token",)),
        (("serve", "--every", "-1"), 2, ("--every",)),
        (("today", "--store", "nowhere.sqlite"), 2, ("diet init",)),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    begun: Heedful, refused: Refused, words: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    refused(begun("diet", *words), code, *parts)


def test_nothing_to_follow_is_said(heedful: Heedful, refused: Callable[[Said, int, str], None]) -> None:
    refused(heedful("diet", "init", "--yes", "--store", "new.sqlite"), 2, "--starter")


def test_it_asks_where_somebody_answers(heedful: Heedful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text("# One\n\nText of the first item.")
    answers = iter(["12", "often", "0.9", "", "", "", "", str(tmp_path / "a.md"), "w"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    said = heedful("diet", "init", "--store", "new.sqlite")
    assert said.code == 0, said.error
    assert "curiosity is 'often'" in said.out
    assert list(answers) == []
    wishes = json.loads(heedful("diet", "settings", "--store", "new.sqlite", "--json").out)
    assert (wishes["minutes"], wishes["curiosity"]) == (12, 0.9)
    assert json.loads(heedful("diet", "label", "--store", "new.sqlite", "--json").out)["items"] == 1


def test_before_anything_came_no_edition_is_kept(heedful: Heedful, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    assert heedful("diet", "init", "--yes", "--from", str(tmp_path / "texts"), "--store", "new.sqlite").code == 0
    assert "heedful diet poll" in heedful("diet", "today", "--store", "new.sqlite").out
    (tmp_path / "texts" / "a.md").write_text("# One\n\nText of the first item.")
    assert "1 source asked, 1 new item" in heedful("diet", "poll", "--store", "new.sqlite").out
    found = json.loads(heedful("diet", "today", "--store", "new.sqlite", "--json").out)
    assert [one["title"] for one in found["items"]] == ["One"]


def test_estimators_are_named_right_before_the_log_is_read(begun: Heedful, refused: Refused) -> None:
    refused(begun("diet", "replay", "--estimator", "ripps"), 2, "rips", "cascade-dr")
    refused(begun("diet", "replay", "--estimator", "rips", "--simulate"), 2, "--simulate without it")
    refused(begun("diet", "rate", "1", "great"), 2, "1 to 5")


def test_a_log_of_one_day_replays_nothing_and_the_simulator_says_what_it_is(begun: Heedful, refused: Refused) -> None:
    made(begun, "today")
    refused(begun("diet", "replay"), 2, "--simulate")
    found = made(begun, "replay", "--simulate", "--readers", "2", "--days", "1")
    assert "simulated" in str(found["note"])
