"""How soon the page of `heedful serve` is there, what it sends and what it holds, for a long text in a deep model.

    python benchmarks/page.py --tokens 512 --layers 12 --heads 12

A classifier that has learnt nothing is served on loopback and asked in headless Chromium (needs chromium, chromedriver and the extra
`test`). "page" is to the first contentful paint; "answer" from pressing Ask to the answer's own bytes, which is the model's time;
"drawn" from there to the first paint with text and matrix; "pictures" from coming into sight of the small pictures to their first
paint; "head" from choosing another head to the paint that shows it; "frame" the longest of the frames while a pointer goes over 100
tokens and the page is scrolled through. Bytes are those of the answer and of all that was asked for until then; the heap is the
browser's own count after a collection.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from selenium import webdriver

from heedful.data.tokens import tokenizer_state, train_tokenizer
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.classifiers import build_classifier
from heedful.spec import DataSpec, EncoderSpec, RunSpec
from heedful.train.run import Run

QUIET = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --enable-precise-memory-info"
WORDS = ("to", "be", "or", "not", "to", "be", "that", "is", "the", "question")
ASK = """
const done = arguments[arguments.length - 1], times = {}, sent = () => performance.getEntriesByType('resource')
  .filter((entry) => entry.name.includes('/run/')).reduce((sum, entry) => sum + entry.transferSize, 0);
const painted = (then) => requestAnimationFrame(() => setTimeout(then, 0));
document.getElementById('text').value = arguments[0];
performance.clearResourceTimings();
const began = performance.now();
const watch = () => {
  const box = document.querySelector('.reading');
  if (box && times.answer === undefined) times.answer = performance.now() - began;
  if (!box?.heedful?.state.head) { requestAnimationFrame(watch); return; }
  painted(() => {
    times.drawn = performance.now() - began - times.answer;
    document.querySelector('.model').scrollIntoView({ behavior: 'instant' });
    const scrolled = performance.now(), pictures = () => {
      if (!document.querySelector('.layer.drawn')) { requestAnimationFrame(pictures); return; }
      painted(() => { times.pictures = performance.now() - scrolled; times.bytes = sent(); done(times); });
    };
    pictures();
  });
};
document.querySelector('button.main').click();
watch();
"""
HEAD = """
const done = arguments[arguments.length - 1], box = document.querySelector('.reading'), began = performance.now();
await box.heedful.open(arguments[0]);
requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0));
"""
MOVE = """
const done = arguments[arguments.length - 1], spans = [...document.querySelectorAll('.strip .tokens span')].slice(0, 100);
const frames = [], high = document.documentElement.scrollHeight;
let last = performance.now(), at = 0;
const frame = () => {
  const now = performance.now();
  if (at > 1) frames.push(now - last);
  last = now;
  if (at >= 2 * spans.length) { frames.sort((a, b) => a - b); done([frames[Math.floor(frames.length / 2)], frames.at(-1)]); return; }
  if (at < spans.length) spans[at].dispatchEvent(new PointerEvent('pointerenter'));
  else scrollTo({ top: high * (at - spans.length) / spans.length, behavior: 'instant' });
  at++;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""


def made(folder: Path, tokens: int, layers: int, heads: int) -> Path:
    """A classifier of this size that has learnt nothing."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("word", [" ".join(WORDS)])
    model = EncoderSpec(vocabulary=tokenizer.size, labels=("no", "yes"), context=tokens, width=8 * heads, layers=layers, heads=heads)
    spec = RunSpec(task="classify", data=DataSpec(tokenizer="word"), model=model)
    run = Run.create(folder, spec, tokenizer)
    state = {name: weight + 0.3 * torch.randn_like(weight) for name, weight in build_classifier(model).state_dict().items()}
    save_checkpoint(run.best_path, Checkpoint(state, spec, tokenizer_state(tokenizer)))
    return run.path


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The command, until it is no longer wanted; where it listens."""
    command = [sys.executable, "-m", "heedful", "serve", str(run), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split(" (")[0].split(" at ")[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def window() -> Iterator[Any]:
    """A browser of 1,400 by 900 pixels."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for word in (*QUIET.split(), "--window-size=1400,900"):
        options.add_argument(word)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()


def heap(driver: Any) -> int:
    """Bytes of the page's objects after a collection."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return int(driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"])


def look(driver: Any, address: str, text: str, heads: list[str]) -> list[tuple[str, float]]:
    """What one visit takes."""
    driver.get(address)
    paint = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    found = [("page, ms", float(driver.execute_script(paint)))]
    times = driver.execute_async_script(ASK, text)
    found += [
        ("answer, ms", times["answer"]),
        ("drawn, ms", times["drawn"]),
        ("pictures, ms", times["pictures"]),
        ("sent, KB", times["bytes"] / 1e3),
    ]
    opened = f"(async function () {{{HEAD}}}).apply(null, arguments)"
    found += [("head, ms", driver.execute_async_script(opened, head)) for head in heads]
    usual, longest = driver.execute_async_script(MOVE)
    return [*found, ("frame, ms", usual), ("longest frame, ms", longest), ("heap, MB", heap(driver) / 1e6)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("tokens", 512), ("layers", 12), ("heads", 12), ("times", 3)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    words = [WORDS[i % len(WORDS)] for i in range(asked.tokens - 1)]
    heads = [f"{asked.layers}.{asked.heads}", "1.1", "2.1"]
    found: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        window() as driver,
        served(made(Path(folder) / "run", asked.tokens, asked.layers, asked.heads)) as site,
    ):
        for i in range(asked.times):
            for name, value in look(driver, f"{site}/run/run", " ".join([*words, WORDS[i % len(WORDS)]]), heads):
                found.setdefault(name, []).append(value)
        assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    print(f"{asked.tokens} tokens, {asked.layers} layers x {asked.heads} heads, {asked.times} times")
    print("| what | least | median | most |")
    print("|---|---|---|---|")
    for name, values in found.items():
        ordered = sorted(values)
        print(f"| {name} | {ordered[0]:.1f} | {ordered[len(ordered) // 2]:.1f} | {ordered[-1]:.1f} |")


if __name__ == "__main__":
    main()
