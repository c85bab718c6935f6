"""What is drawn, spoken, dropped and written for something else, in a browser; pictures with $HEEDFUL_SHOTS."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from heedful.errors import HeedfulError
from heedful.tasks.task import Asked, Explanation, Record, View
from heedful.web.runs.other import OtherRun
from heedful.web.runs.run import OpenRun
from heedful.web.runs.table import open_run
from web.chromium import READY, Browser, ask, keep, whole
from web.conftest import make_classifier, make_pictures, make_plan, make_writer, picture, served

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.filterwarnings("default::ResourceWarning")]
TEXT = "to be, or not to be: that is the question."


class Listening(OtherRun):
    """A run of speech that says how long what it heard was, and how loud."""

    def __init__(self) -> None:
        self.path, self.task, self.heard = Path("ears"), "speech", b""

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        self.heard = Path(inputs[0]).read_bytes()
        with wave.open(io.BytesIO(self.heard)) as sound:
            rate, width, count = sound.getframerate(), sound.getsampwidth(), sound.getnframes()
        return [{"text": "a beep", "rate": rate, "width": width, "seconds": round(count / rate, 1)}]

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        return Explanation({}, "<!doctype html><title>heard</title><p id='why'>It was a beep.</p>")


@pytest.fixture(scope="module")
def ears() -> Listening:
    return Listening()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, ears: Listening) -> Iterator[str]:
    """A server of pictures, a writer, a listener, and a classifier with a plan."""
    folder = tmp_path_factory.mktemp("site")
    runs: dict[str, OpenRun] = {"ears": ears}
    mood = make_classifier(folder / "mood")
    runs["mood"] = open_run(mood, make_plan(mood, folder))
    runs |= {"shapes": open_run(make_pictures(folder / "shapes")), "words": open_run(make_writer(folder / "words"))}
    with served(runs) as address:
        yield address


def draw(browser: Browser, kind: str) -> None:
    """A cross on the sheet, by mouse or by finger, as the browser itself would tell of it."""
    box = browser.run("const box = document.querySelector('.sheet canvas').getBoundingClientRect(); return [box.x, box.y, box.width]")
    x, y, wide = (float(number) for number in box)
    for begin, end in (((0.2, 0.2), (0.8, 0.8)), ((0.8, 0.2), (0.2, 0.8))):
        shares = [[one + t / 8 * (other - one) for one, other in zip(begin, end, strict=True)] for t in range(9)]
        path = [(x + wide * across, y + wide * down) for across, down in shares]
        if kind == "mouse":
            told = [("mousePressed", path[0]), *(("mouseMoved", at) for at in path[1:]), ("mouseReleased", path[-1])]
            for name, (left, top) in told:
                event: dict[str, Any] = {"type": name, "x": left, "y": top, "button": "left", "buttons": 1, "clickCount": 1}
                browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
        else:
            for name, points in (("touchStart", path[:1]), *(("touchMove", [at]) for at in path[1:]), ("touchEnd", [])):
                event = {"type": name, "touchPoints": [{"x": left, "y": top} for left, top in points]}
                browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)


INK = (
    "const copy = new OffscreenCanvas(280, 280).getContext('2d', {willReadFrequently: true}); "
    "copy.drawImage(document.querySelector('.sheet canvas'), 0, 0); const data = copy.getImageData(0, 0, 280, 280).data; "
    "let ink = 0; for (let at = 0; at < data.length; at += 4) ink += data[at] > 127; return ink / (280 * 280)"
)


@pytest.mark.parametrize(("kind", "width", "dark"), [("mouse", 1280, False), ("finger", 360, True)])
def test_a_drawing_is_classified_and_its_patches_looked_at(browser: Browser, site: str, kind: str, width: int, dark: bool) -> None:
    browser.open(f"{site}/run/shapes", width, dark)
    assert browser.run(INK) == 0.0
    draw(browser, kind)
    assert 0.02 < browser.run(INK) < 0.5
    browser.run("document.querySelector('.byhand .ask').click()")
    browser.until(READY)
    whole(browser)
    keep(browser, f"drawn-{width}")
    assert browser.overflow() <= 0
    assert browser.run("return document.querySelectorAll('.photo canvas')[0].width") == 4
    browser.focus(".photo")
    browser.press("\ue014", "\ue015")  # right, down
    assert "“2·" in browser.text(".strip .readout")
    browser.run("document.querySelector('.byhand .clear').click()")
    assert browser.run(INK) == 0.0


def test_a_drawing_by_the_keyboard(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/shapes")
    browser.focus(".sheet canvas")
    browser.press(" ", *["\ue014"] * 5, *["\ue015"] * 5, " ", *["\ue012"] * 3)
    drawn = browser.run(INK)
    assert drawn > 0.01
    keep(browser, "drawn-keys")
    browser.focus(".byhand .ask")
    browser.press("\ue007")
    browser.until(READY)
    browser.focus(".head[data-name='1.2']")
    browser.press("m")
    browser.until("document.querySelector('p.muted')")
    browser.until(READY)
    assert "layer 1 head 2" in browser.text("p.muted")
    browser.focus("#unmute")
    browser.press("\ue007")
    browser.until("!document.querySelector('p.muted') && document.querySelector('.reading')")


def test_a_file_is_dropped(browser: Browser, site: str) -> None:
    browser.open(f"{site}/run/shapes")
    drop = (
        "const held = new DataTransfer(); held.items.add(new File([Uint8Array.from(arguments[0])], 'cross.png', {type: 'image/png'})); "
        "document.querySelector('.drop').dispatchEvent(new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true}))"
    )
    browser.run(drop, list(picture()))
    browser.until(READY)
    assert "cross.png" not in browser.text(".wrong")
    assert browser.run("return document.querySelector('.overlaid img.above') !== null")
    by = "const by = document.querySelector('select[name=method]'); by.value = 'occlusion'; "
    browser.run(by + "by.dispatchEvent(new Event('change', {bubbles: true}))")
    browser.until("document.querySelector('.reason').textContent.includes('Why ')")
    keep(browser, "picture")


def test_what_is_said_is_heard(browser: Browser, site: str, ears: Listening) -> None:
    browser.open(f"{site}/run/ears", 360)
    browser.focus(".record")
    browser.press("\ue007")
    browser.until("Number.parseFloat(document.querySelector('.speak .time').textContent) > 1.2")
    assert browser.text(".record") == "Stop"
    browser.press("\ue007")
    browser.until("document.querySelector('.result h2')?.textContent === 'a beep'")
    with wave.open(io.BytesIO(ears.heard)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
    assert max(samples) > 1000  # the fake microphone beeps once a second
    assert len(samples) > 1.2 * 16_000
    assert browser.run("return document.querySelector('.speak audio').hidden") is False
    browser.until("document.querySelector('.rests iframe')")
    browser.run("document.querySelector('.rests').scrollIntoView({behavior: 'instant'})")
    frame = browser.driver.find_element("css selector", ".rests iframe")
    browser.driver.switch_to.frame(frame)
    browser.until("document.getElementById('why')")
    browser.driver.switch_to.default_content()
    keep(browser, "spoken-360")
    assert browser.overflow() <= 0


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_an_alignment_in_both_directions(browser: Browser, site: str, width: int, dark: bool) -> None:
    ask(browser, f"{site}/run/words", TEXT, width, dark)
    whole(browser)
    assert browser.overflow() <= 0
    spans = "[...document.querySelectorAll(arguments[0] + ' .tokens span')]"
    shaded = f"return {spans}.filter((span) => Number(span.style.getPropertyValue('--w')) > 0).length"
    browser.focus(".strip .tokens span")
    assert browser.run(shaded, ".source") > 0
    assert browser.run(shaded, ".strip") == 0
    assert "looked at" in browser.text(".strip .readout")
    browser.focus(".source .tokens span")
    browser.press("\ue014")
    assert browser.run(shaded, ".strip") > 0
    assert browser.run(shaded, ".source") == 0
    assert "“␣be” was looked at most by" in browser.text(".source .readout")
    browser.focus(".lines .right li")
    assert browser.run("return document.querySelector('.lines .right li').classList.contains('chosen')")
    keep(browser, f"alignment-{width}")


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1400, True)])
def test_a_run_with_and_without_its_plan(browser: Browser, site: str, width: int, dark: bool) -> None:
    browser.open(f"{site}/run/mood/compare", width, dark)
    browser.run("document.getElementById('text').value = arguments[0]", f"{TEXT}\n" * 4)
    browser.focus("[value=plan]")
    browser.press(" ")
    browser.focus("button.main")
    browser.press("\ue007")
    browser.until(READY)
    browser.until("document.querySelector('.difference')?.hidden === false")
    titles = browser.run("return [...document.querySelectorAll('.side h2')].map((title) => title.textContent)")
    assert titles == ["Without the plan", "With the plan"]
    assert browser.overflow() <= 0
    keep(browser, f"plan-{width}")
    browser.focus(".difference .field")
    browser.press("\ue014", "\ue015")
    assert " − " in browser.text(".difference .readout")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1400, False)])
def test_two_heads_of_a_writer(browser: Browser, site: str, width: int, dark: bool) -> None:
    ask(browser, f"{site}/run/words/compare", TEXT, width, dark)
    browser.until("document.querySelector('.difference')?.hidden === false")
    assert "layer 1, head 1 − layer 1, head 2" in browser.text(".difference figcaption")
    assert browser.overflow() <= 0
    keep(browser, f"writer-heads-{width}")
