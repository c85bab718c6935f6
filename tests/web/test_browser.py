"""Every view of the page in a browser, by pointer and by keyboard, narrow and wide, light and dark; pictures with $HEEDFUL_SHOTS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heedful.web.runs.table import open_run
from web.chromium import READY, Browser, ask, keep, whole
from web.conftest import LARGE, make_classifier, make_generator, served

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.filterwarnings("default::ResourceWarning")]
TEXT = "to be, or not to be: that is the question.\n"
WIDTHS = [(360, False), (360, True), (768, True), (1280, False), (1920, True)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of a small classifier, a generator and a large classifier."""
    folder = tmp_path_factory.mktemp("site")
    runs = {"mood": make_classifier(folder / "mood"), "prose": make_generator(folder / "prose")}
    runs["large"] = make_classifier(folder / "large", LARGE)
    with served({name: open_run(path) for name, path in runs.items()}) as address:
        yield address


@pytest.mark.parametrize(("width", "dark"), WIDTHS)
def test_no_view_is_wider_than_its_window(browser: Browser, site: str, width: int, dark: bool) -> None:
    shade = "dark" if dark else "light"
    views: dict[str, Callable[[], None]] = {
        "mood": lambda: ask(browser, f"{site}/run/mood", TEXT * 3, width, dark),
        "prose": lambda: ask(browser, f"{site}/run/prose", "to be", width, dark),
        "compare": lambda: ask(browser, f"{site}/run/mood/compare", TEXT, width, dark),
        "api": lambda: browser.open(f"{site}/run/prose/api", width, dark),
        "runs": lambda: browser.open(f"{site}/", width, dark),
    }
    for name, opened in views.items():
        opened()
        if name in ("mood", "prose"):
            whole(browser)
        keep(browser, f"{name}-{width}-{shade}")
        assert browser.overflow() <= 0, name


def test_all_is_within_reach_of_the_keyboard(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/mood", TEXT)
    browser.focus(".head[data-name='1.1']")
    browser.press("\ue015", "\ue014")  # down, right
    assert browser.run("return document.activeElement.dataset.name") == "2.2"
    browser.press("\ue007")
    browser.until("document.querySelector('.reading').heedful.state.name === '2.2'")
    browser.until("document.querySelector('.map figcaption').textContent === 'layer 2, head 2'")
    browser.focus(".strip .tokens span")
    browser.press("\ue014", "\ue014")
    assert browser.run("return document.activeElement.getAttribute('aria-label')").startswith("3: ")
    assert "looked at" in browser.text(".strip .readout")
    browser.focus(".map .field")
    browser.press("\ue015", "\ue014")
    assert browser.text(".map .readout").startswith("query 2 ")
    browser.focus(".lines .left li")
    browser.press("\ue010")  # end
    assert browser.run("return document.querySelector('.lines .left li:last-child').classList.contains('chosen')")


def test_numbers_and_colours_say_the_same(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/mood", TEXT)
    browser.run("document.querySelector('.reading').heedful.open('1.3')")
    browser.until("document.querySelector('.reading').heedful.state.name === '1.3'")
    browser.run("document.querySelector('.row-numbers').open = true")
    browser.until("document.querySelectorAll('.row-numbers tbody tr').length > 3")
    shown = browser.run("return [...document.querySelectorAll('.row-numbers tbody td:last-child')].map((cell) => Number(cell.textContent))")
    assert sum(shown) == pytest.approx(1.0, abs=len(shown) * 0.5e-4)  # each is rounded to four decimals
    assert shown == sorted(shown, reverse=True)


def test_a_muted_head_changes_the_answer_and_can_speak_again(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/mood", TEXT)
    browser.focus(".head[data-name='2.3']")
    browser.press("m")
    browser.until("document.querySelector('p.muted')")
    browser.until(READY)
    whole(browser)
    keep(browser, "muted")
    assert "layer 2 head 3" in browser.text("p.muted")
    assert browser.run("return document.querySelector('.head.silent').dataset.name") == "2.3"
    browser.focus("#unmute")
    browser.press("\ue007")
    browser.until("!document.querySelector('p.muted') && document.querySelector('.reading')")


def test_a_pair_shows_what_one_sentence_sees_of_the_other(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/mood?second=that is the question")
    browser.run("document.getElementById('text').value = 'to be, or not to be'")
    browser.focus("button.main")
    browser.press("\ue007")
    browser.until(READY)
    browser.run("const box = document.querySelector('.between'); box.value = '12'; box.dispatchEvent(new Event('change'))")
    keep(browser, "pair")
    marked = browser.run(
        "return [...document.querySelectorAll('.lines .right li')].map((item) => Number(item.style.getPropertyValue('--w')))"
    )
    split = browser.run("return document.querySelector('.reading').heedful.index.split")
    assert split == 8  # to be , or not to be and the line's end
    assert not any(marked[:split]), marked
    assert any(marked[split:])


def test_a_continuation_is_made_and_stepped_through(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/prose", "to be")
    assert browser.text("#stream").startswith("to be")
    made = browser.run("return document.querySelector('.reading').heedful.index.record.text")
    assert browser.text("#stream") == f"to be{made}"
    browser.focus(".steps .on")
    browser.press("\ue007")
    assert browser.run("return Number(document.querySelector('.steps .at').value)") == 1
    assert browser.run("return document.querySelectorAll('.steps .likely li').length") == 5
    assert "to make" in browser.text(".strip .readout")


def test_two_heads_and_their_difference(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/mood/compare", TEXT)
    browser.run("document.querySelectorAll('.reading')[1].heedful.open('2.1')")
    browser.until("document.querySelector('.difference figcaption')?.textContent === 'layer 1, head 1 − layer 2, head 1'")
    browser.focus(".difference .field")
    browser.press("\ue014")
    told = browser.text(".difference .readout").rsplit(": ", 1)[1].replace(" = ", " − ")
    one, other, gap = (float(number) for number in told.split(" − "))
    assert gap == pytest.approx(one - other, abs=1.6e-4)  # three numbers of four decimals
    keep(browser, "difference")


def test_a_method_says_what_spoke_for_the_answer(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/mood", TEXT)
    assert "where it looked, never why" in browser.text(".reason")
    browser.run("document.querySelector('select[name=method]').value = 'auto'")
    browser.run("document.querySelector('select[name=method]').dispatchEvent(new Event('change', {bubbles: true}))")
    browser.until("document.querySelector('.reason').textContent.includes('Why ')")
    assert browser.run("return document.querySelectorAll('.reason .tokens span').length") == 14  # TEXT's tokens
    keep(browser, "method")


def test_two_methods_side_by_side(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/mood/compare")
    browser.run("document.querySelector('[value=methods]').click(); document.getElementById('text').value = 'to be, or not to be'")
    browser.focus("button.main")
    browser.press("\ue007")
    browser.until("document.querySelectorAll('.side .scored').length === 2")
    keep(browser, "methods")


def test_the_saved_page_asks_nobody(browser: Browser, site: str, tmp_path: Path) -> None:
    ask(browser, f"{site}/run/large", TEXT * 43)
    content = browser.run("return (async () => (await fetch(document.querySelector('a.save').href)).text())()")
    assert len(content.encode()) < 2_000_000
    file = tmp_path / "page.html"
    file.write_text(content, encoding="utf-8")
    browser.open(file.as_uri())
    browser.until(READY)
    browser.run("document.querySelector('.reading').heedful.open('12.5')")
    browser.until("document.querySelector('.map figcaption').textContent === 'layer 12, head 5'")
    whole(browser)
    keep(browser, "saved")
    assert "within 7 tokens" in browser.text(".strip .readout")  # 512 tokens in 75 cells a side at most
    assert browser.text(".save") == ""
    assert browser.run("return performance.getEntriesByType('resource').filter((entry) => entry.name.startsWith('http')).length") == 0


def test_a_long_text_sends_only_what_is_seen(browser: Browser, site: str) -> None:
    ask(browser, f"{site}/run/large", TEXT * 43)
    sent = browser.run(
        "return performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('/head/'))"
    )
    assert [name.rsplit("/", 1)[1] for name in sent] == ["mean"]  # of 144 heads
    assert browser.run("return document.querySelectorAll('.layer.drawn').length") < 12
    keep(browser, "large")
    browser.size(360, dark=True)
    whole(browser)
    keep(browser, "large-360")
    assert browser.overflow() <= 0


def test_what_is_refused_is_said_in_the_page(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/prose")
    browser.run("document.getElementById('text').value = 'ÄÖ'")
    browser.focus("button.main")
    browser.press("\ue007")
    browser.until("document.querySelector('.wrong')")
    assert "not in this vocabulary" in browser.text(".wrong")
    assert all("400" in error for error in browser.errors())  # the browser tells of the answer's status itself
