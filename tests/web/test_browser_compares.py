"""Two pictures and two recordings side by side, and what was read over a recording, by keyboard; pictures with $HEEDFUL_SHOTS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heedful.web.runs.table import open_run
from web.chromium import READY, Browser, keep, whole
from web.conftest import make_captioner, make_listener, make_pictures, picture, plan_of_pictures, served, sound

pytest.importorskip("soundfile")
pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.filterwarnings("default::ResourceWarning")]
FILES = {
    "shapes": (picture(), picture(0), "image/png"),
    "ears": (sound(), sound(880.0), "audio/wav"),
    "eyes": (picture(), picture(0), "image/png"),
}
DROP = (
    "const held = new DataTransfer(), file = new File([Uint8Array.from(arguments[1])], `file ${arguments[0]}`, {type: arguments[2]}); "
    "held.items.add(file); "
    "document.querySelectorAll('.drop')[arguments[0]]"
    ".dispatchEvent(new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true}))"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of pictures with a plan, a listener and a captioner."""
    folder = tmp_path_factory.mktemp("site")
    shapes = make_pictures(folder / "shapes")
    runs = {"shapes": open_run(shapes, plan_of_pictures(shapes, folder))}
    runs |= {"ears": open_run(make_listener(folder / "ears")), "eyes": open_run(make_captioner(folder / "eyes"))}
    with served(runs) as address:
        yield address


def compare(browser: Browser, what: str, run: str, count: int) -> None:
    """Choose what is compared, bring so many files, press the button."""
    browser.focus(f"[value={what}]")
    browser.press(" ")
    for i in range(count):
        browser.run(DROP, i, list(FILES[run][i]), FILES[run][2])
        browser.until(f"document.querySelectorAll('.bring input[type=hidden]')[{i}].value")
    browser.focus("button.compare")
    browser.press("\ue007")
    browser.until("document.querySelectorAll('.side').length === 2")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)])
@pytest.mark.parametrize("run", FILES)
def test_two_files(browser: Browser, site: str, run: str, width: int, dark: bool) -> None:
    browser.open(f"{site}/run/{run}/compare", width, dark)
    compare(browser, "inputs", run, 2)
    browser.until(READY)
    keep(browser, f"two-{run}-{width}")
    assert browser.overflow() <= 0
    records = browser.run("return [...document.querySelectorAll('.reading')].map((box) => JSON.stringify(box.heedful.index.record))")
    assert len(set(records)) == 2


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1440, True)])
def test_a_picture_with_and_without_the_plan(browser: Browser, site: str, width: int, dark: bool) -> None:
    browser.open(f"{site}/run/shapes/compare", width, dark)
    compare(browser, "plan", "shapes", 1)
    browser.until(READY)
    browser.until("document.querySelector('.difference')?.hidden === false")
    keep(browser, f"picture-plan-{width}")
    assert browser.overflow() <= 0


def test_two_methods_over_a_recording(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/ears/compare", 1440)
    compare(browser, "methods", "ears", 1)
    browser.until("document.querySelectorAll('.overlaid').length === 2")
    browser.focus(".overlaid .cells")
    browser.press("\ue014")
    assert browser.text(".overlaid .readout").startswith("0.0")
    keep(browser, "methods-ears")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)])
@pytest.mark.parametrize(("run", "place"), [("ears", "“0.04 s”"), ("eyes", "“1·3”")])
def test_a_word_shows_where_it_looked_and_a_place_which_words_looked(
    browser: Browser, site: str, run: str, place: str, width: int, dark: bool
) -> None:
    browser.open(f"{site}/run/{run}", width, dark)
    browser.run(DROP, 0, list(FILES[run][0]), FILES[run][2])
    browser.until(READY)
    whole(browser)
    keep(browser, f"{run}-{width}")
    assert browser.overflow() <= 0
    browser.focus(".source .photo")
    browser.press("\ue014", "\ue014")
    assert browser.text(".source .readout").startswith(f"{place} was looked at most by")
    shaded = browser.run(
        "return [...document.querySelectorAll('.strip .tokens span')].some((span) => Number(span.style.getPropertyValue('--w')) > 0)"
    )
    assert shaded
    browser.focus(".strip .tokens span")
    assert "looked at" in browser.text(".strip .readout")
