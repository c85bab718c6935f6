"""The reader in a browser: from an empty machine to an edition by keys, every view, narrow and wide; pictures with $HEEDFUL_SHOTS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heedful.diet.store.store import Store, open_store
from web.chromium import Browser, keep
from web.diet.conftest import REAL, papers, press, reader, real

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.filterwarnings("default::ResourceWarning")]
WIDTHS = [(360, False), (360, True), (1280, False), (1280, True)]
MOST = 180.0  # seconds from nothing to the first edition
VIEWS = ("/", "/search?q=read", "/label?period=week", "/notes", "/sources", "/settings", "/start", "/start/ten")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, window: Browser) -> Iterator[tuple[str, Store]]:
    """From nothing to the first edition, as a reader with a keyboard does it; real feeds where they are."""
    documents = papers() | (real() if REAL.is_file() else {})
    path: Path = tmp_path_factory.mktemp("reader") / "diet.sqlite"
    started = time.monotonic()
    with press(documents) as papers_at, open_store(path) as store, reader(store) as site:
        window.open(site, 360)
        window.until("document.querySelector('#where')")
        keep(window, "diet-start-360-light")
        window.press("\n".join(f"{papers_at}/{name}" for name in documents))
        window.focus("#minutes")
        window.press("\ue007")  # Enter sends the form
        window.until("location.pathname === '/start/ten' && document.querySelector('li.item')")
        keep(window, "diet-ten-360-light")
        for key in "wjnjwjn":
            said = "document.querySelectorAll('.said').length"
            before = window.run(f"return {said}")
            window.run("document.querySelector('li.item.here').focus()")
            window.press(key)
            if key != "j":
                window.until(f"{said} > {before}")
        window.press("g")
        window.until("location.pathname === '/' && document.querySelector('#edition li.item')")
        took = time.monotonic() - started
        print(f"from nothing to the first edition: {took:.1f} s, {len(documents)} feeds, {store.counts()['item']} items")
        assert took < MOST
        yield site, store


def test_an_edition_is_read_by_keys_alone(browser: Browser, begun: tuple[str, Store]) -> None:
    site, store = begun
    browser.open(f"{site}/", 1280)
    first = browser.until("document.querySelector('li.item.here')?.dataset.item")
    browser.run("document.querySelector('li.item.here').focus()")
    browser.press("e")
    browser.until("document.querySelector('.reason table')")
    keep(browser, "diet-why-1280-light")
    browser.press("w")
    browser.until("document.querySelector('li.item.done')")
    browser.press("j")
    second = browser.run("return document.querySelector('li.item.here').dataset.item")
    assert second != first
    browser.press("x")
    browser.until("document.querySelector('.ask button')")
    keep(browser, "diet-less-1280-light")
    browser.press("z")
    browser.until("!document.querySelector('.ask')")
    browser.press("?")
    browser.until("document.querySelector('dialog[open]')")
    browser.press("\ue00c")
    browser.until("!document.querySelector('dialog[open]')")
    browser.run(f"document.querySelector('li.item[data-item=\"{second}\"]').focus()")
    browser.press("\ue007")
    browser.until("document.querySelector('[data-reader]')")
    assert browser.run("return document.querySelector('[data-reader]').dataset.reader") == second
    assert [said.kind for said in store.feedback(int(first))] == ["worth"]


def test_words_are_marked_and_noted(browser: Browser, begun: tuple[str, Store]) -> None:
    site, store = begun
    item = store.search("河流")[0].item.id
    browser.open(f"{site}/item/{item}", 360)
    select = "const t = document.querySelector('#text').firstChild; getSelection().setBaseAndExtent(t, 0, t, 5)"
    browser.run(select)
    browser.until("!document.querySelector('.quote').hidden")
    browser.run("document.body.focus()")
    browser.press("h")
    browser.until("document.querySelector('mark')")
    browser.focus("#note-text")
    browser.press("好")
    browser.run("document.querySelector('#body form').requestSubmit()")
    browser.until("document.querySelectorAll('.note').length === 2")
    assert next(note.quote for note in store.notes(item)) == browser.text("mark")
    for width, dark in WIDTHS:
        browser.open(f"{site}/item/{item}", width, dark)
        keep(browser, f"diet-item-{width}-{'dark' if dark else 'light'}")
        assert browser.overflow() <= 0


def test_search_finds_while_it_is_typed(browser: Browser, begun: tuple[str, Store]) -> None:
    site, _ = begun
    browser.open(f"{site}/", 1280)
    browser.press("/")
    browser.until("location.pathname === '/search'")
    browser.focus("#q")
    browser.press("河流")
    browser.until("document.querySelector('#hits mark')?.textContent === '河流'")
    assert "edition" in browser.text("#hits .because")


@pytest.mark.parametrize(("width", "dark"), WIDTHS)
def test_no_view_is_wider_than_its_window(browser: Browser, begun: tuple[str, Store], width: int, dark: bool) -> None:
    site, _ = begun
    for view in VIEWS:
        browser.open(f"{site}{view}", width, dark)
        name = view.strip("/").split("?")[0].replace("/", "-") or "today"
        keep(browser, f"diet-{name}-{width}-{'dark' if dark else 'light'}")
        assert browser.overflow() <= 0, view
