"""The reader's pages and doors, in this process."""

from __future__ import annotations

import re
import threading
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from heedful.diet.day.today import today, wishes_of
from heedful.diet.intake.feeds import parse
from heedful.diet.store.store import Store, open_store
from heedful.web.diet.app import build
from heedful.web.diet.room import Room
from web.diet.conftest import NOW, Opened

PAGES = (
    "/",
    "/item/1",
    "/item/1/why",
    "/search?q=river",
    "/search?q=读书",
    "/label?period=week",
    "/notes",
    "/sources",
    "/settings",
    "/start",
    "/start/ten",
)


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_whole_and_hold_no_markup_of_items(opened: Opened, address: str) -> None:
    found = opened().get(address)
    assert found.status_code == 200
    assert "<1>" not in found.text
    assert not re.search(r"(src|href|action)=\"(https?:)?//(?!(en|zh)\.example/)", found.text)  # nothing from anywhere else
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    if address != "/item/1/why":
        assert found.text.startswith("<!doctype html>")
        assert found.text.count("<h1>") == 1


def test_an_empty_store_begins() -> None:
    with open_store(":memory:") as empty:
        client = TestClient(build(Room(empty, now=lambda: NOW)))
        assert client.get("/").url.path == "/start"
        refused = client.post("/start", data={"minutes": "20"})
        assert refused.status_code == 400
        assert "No source yet" in refused.text
        assert "no outline" in client.post("/start", data={"where": "<opml version='2.0'><body/></opml>"}).text
        assert empty.sources() == []


def test_the_edition_is_made_once_and_words_change_its_rows(opened: Opened, store: Store) -> None:
    client = opened()
    shown = re.findall(r'data-item="(\d+)"', client.get("/").text)
    assert shown == re.findall(r'data-item="(\d+)"', client.get("/").text)
    assert len(store.editions()) == 1
    row = client.post(f"/item/{shown[0]}/say", data={"word": "worth"}).text
    assert "done" in row
    assert re.search(r'data-key="w" aria-pressed="true"', row)
    assert [said.kind for said in store.feedback()] == ["worth"]
    asked = client.post(f"/item/{shown[1]}/say", data={"word": "less"}).text
    assert "because of its" in asked
    client.post(f"/item/{shown[1]}/say", data={"word": "less", "because": "topic nature"})
    assert store.feedback()[-1].reason == "topic nature"
    assert "done" not in client.post(f"/item/{shown[0]}/say", data={"undo": "1"}).text.split(">")[0]
    assert [said.kind for said in store.feedback(int(shown[0]))] == []
    assert client.post(f"/item/{shown[0]}/say", data={"word": "good"}).status_code == 400
    client.post("/today", data={"minutes": "5"})
    assert (len(store.editions()), store.editions()[0].minutes) == (2, 5)


def test_reading_marks_and_notes(opened: Opened, store: Store) -> None:
    client = opened()
    client.post("/item/1/opened")
    client.post("/item/1/opened")
    assert [said.kind for said in store.feedback(1)] == ["opened"]
    marked = client.post("/item/1/note", data={"quote": "long river", "text": "which <b>?"}).text
    assert re.search(r"<mark id=\"mark-\d+\">long river</mark>", marked)
    assert "&lt;b&gt;" in marked
    assert "long river" in client.get("/notes").text
    note = store.notes()[0].id
    assert "<mark" not in client.post(f"/note/{note}/remove").text
    assert client.post("/item/1/note", data={"quote": "no such words"}).status_code == 400
    assert client.post("/note/99/remove").status_code == 400
    client.post("/item/1/read", data={"minutes": "2.5"})
    assert (store.feedback(1)[-1].kind, store.feedback(1)[-1].value) == ("finished", 2.5)


def test_search_says_where_each_item_stands(opened: Opened, store: Store) -> None:
    client = opened()
    client.post("/today", data={"minutes": "8"})
    found = client.get("/search/hits", params={"q": "river"}).text
    assert "In the edition." in found
    assert "Not in the edition: " in found
    assert "<mark>river</mark>" in found
    assert "Nothing has all" in client.get("/search/hits", params={"q": "elephant"}).text
    assert "nothing to search for" in client.get("/search/hits", params={"q": "!!"}).text


def test_settings_are_kept_or_refused(opened: Opened, store: Store) -> None:
    client = opened()
    kept = client.post("/settings", data={"minutes": "12", "curiosity": "0.5", "reward.opened": "0.1", "targets.nature": "0.4"})
    assert kept.status_code == 200
    wishes = wishes_of(store)
    assert (wishes.minutes, wishes.curiosity, wishes.reward.opened, dict(wishes.targets)) == (12, 0.5, 0.1, {"nature": 0.4})
    assert client.post("/settings", data={"minutes": "-1"}).status_code == 400
    assert wishes_of(store) == wishes


def test_the_doors_for_programs(opened: Opened, store: Store) -> None:
    client = opened()
    edition = client.get("/api/edition").json()
    assert edition["minutes"] <= edition["budget"] == 30
    for item in edition["items"]:
        assert item["score"] == pytest.approx(sum(part["value"] for part in item["reason"]["parts"]), abs=1e-9)
    first = edition["items"][0]["item"]
    assert client.post("/api/feedback", json={"item": first, "word": "5"}).json()["kind"] == "rated"
    assert client.post("/api/feedback", json={"item": first, "word": "good"}).status_code == 400
    assert client.get(f"/api/items/{first}").json()["why"]["inside"]
    assert client.get("/api/items/99").status_code == 400
    assert client.get("/api/search", params={"q": "读书"}).json()["hits"]
    assert client.get("/api/label").json()["items"] == 1
    assert len(client.get("/api/sources").json()["sources"]) == 2
    for address in ("/edition.rss", "/edition.json"):
        channel = parse(client.get(address).content)
        assert [entry.link for entry in channel.entries] == [item["address"] for item in edition["items"]]
    assert len(ElementTree.fromstring(client.get("/sources.opml").content).findall(".//outline[@xmlUrl]")) == 2


def test_a_token_is_asked_for_where_there_is_one(opened: Opened) -> None:
    client = opened(token="secret")
    assert client.get("/api/edition").status_code == 401
    assert client.get("/", headers={"Accept": "text/html"}).url.path == "/enter"
    assert client.post("/enter", data={"token": "wrong"}).status_code == 401
    assert client.post("/enter", data={"token": "secret"}).url.path == "/"
    assert client.get("/api/edition").status_code == 200
    assert client.post("/item/1/say", data={"word": "worth"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_room_makes_one_edition_for_all_who_ask(store: Store) -> None:
    room = Room(store, now=lambda: NOW)
    assert today(store, NOW) is None
    assert room.edition().made.id == room.edition().made.id


def test_sources_are_asked_in_the_background_until_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    room, asked = Room(store, now=lambda: NOW), threading.Event()
    monkeypatch.setattr(room, "poll", asked.set)
    with TestClient(build(room, every=1.0)) as client:
        assert asked.wait(20)
        assert client.get("/health").text == "ok"
    assert room.stopped.is_set()
