"""A headless Chromium that is driven like a reader drives one: sizes, light and dark, keys, and what its console says."""

from __future__ import annotations

import base64
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --hide-scrollbars --use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
    "--autoplay-policy=no-user-gesture-required"
)
READY = "[...document.querySelectorAll('.reading')].every((box) => box.heedful?.state.head) && document.querySelectorAll('.reading').length"
PATIENCE = 60.0  # seconds; on a busy machine everything takes long, and nothing here is about time


class Browser:
    """One window."""

    def __init__(self, folder: Path) -> None:
        if CHROMIUM is None or DRIVER is None:
            pytest.skip("no chromium and chromedriver on this machine")
        webdriver = pytest.importorskip("selenium.webdriver")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for word in (*QUIET.split(), f"--user-data-dir={folder}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def open(self, address: str, width: int = 1280, dark: bool = False) -> None:
        """A page in a window of some width."""
        self.size(width, dark)
        self.driver.get(address)

    def size(self, width: int, dark: bool = False) -> None:
        """Another width, light or dark."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [scheme, {"name": "prefers-reduced-motion", "value": "reduce"}]}
        )

    def run(self, script: str, *arguments: object) -> Any:
        """What a script gives."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, *arguments: object) -> Any:
        """What a script gives once that is something."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found = self.run(f"return {script}", *arguments)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"never came: {script}; the console says {self.errors()}")

    def press(self, *keys: str) -> None:
        """Keys, one after the other, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focus(self, selector: str) -> None:
        """Put the focus somewhere, as Tab would."""
        self.run("document.querySelector(arguments[0]).focus({focusVisible: true})", selector)

    def text(self, selector: str) -> str:
        """What a part of the page says."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.run("return document.documentElement.scrollWidth - innerWidth"))

    def errors(self) -> list[str]:
        """What the console complained of since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def shoot(self, path: Path) -> None:
        """The whole page as a picture."""
        height = min(6000, int(self.run("return document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": self.run("return innerWidth"), "height": height, "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        """Close it."""
        self.driver.quit()


def ask(browser: Browser, address: str, text: str, width: int = 1280, dark: bool = False) -> None:
    """Type a text, press the button, wait until what was read is there."""
    browser.open(address, width, dark)
    browser.run("document.getElementById('text').value = arguments[0]", text)
    browser.focus("button.main")
    browser.press("\ue007")
    browser.until(READY)


def whole(browser: Browser) -> None:
    """Bring every layer into sight once, so that it is drawn."""
    next_row = "const row = document.querySelector('.layer:not(.drawn)'); row?.scrollIntoView({behavior: 'instant'}); return !row;"
    browser.until(f"(() => {{ {next_row} }})()")
    browser.run("scrollTo({top: 0, behavior: 'instant'})")


def keep(browser: Browser, name: str) -> None:
    """The page as a picture, where pictures are wanted."""
    if os.environ.get("HEEDFUL_SHOTS"):
        browser.shoot(Path(os.environ["HEEDFUL_SHOTS"]) / f"{name}.png")
