"""The command as a user meets it: words in, exit code, standard output and standard error out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from heedful.__main__ import main

TEXT = "to be, or not to be: that is the question.\n" * 60
SETTINGS = (
    "data.tokenizer=char model.context=8 model.width=8 model.layers=1 model.heads=2 model.kv_heads=1 "
    "train.batch=2 train.warmup=0 train.threads=1"
)


LEARNT = "data.tokenizer=char model.context=16 model.width=16 model.layers=2 model.heads=4 train.batch=8 train.warmup=0 train.steps=40"


class Said(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    error: str


Heedful = Callable[..., Said]


@pytest.fixture
def heedful(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Heedful:
    """The command, run in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HEEDFUL_DEBUG", raising=False)

    def run(*words: str) -> Said:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on a text with something to learn."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text.txt").write_text(TEXT)
    settings = [*LEARNT.split(), "train.threads=1", "train.learning_rate=0.02"]
    words = ["train", "generate", "--data", str(folder / "text.txt"), "--out", str(folder / "run")]
    assert main(words + [word for setting in settings for word in ("--set", setting)]) == 0
    return folder / "run"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A small text file."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def refused() -> Callable[..., None]:
    """One clear line on standard error, nothing else, and the right exit code."""

    def check(said: Said, code: int, *parts: str) -> None:
        lines = said.error.strip().splitlines()
        assert said.code == code, said
        assert len(lines) == 1, said.error
        assert lines[0].startswith("heedful: ")
        for part in parts:
            assert part in lines[0], lines[0]

    return check


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """The command as a process of its own."""

    def start(*words: str, prepare: Callable[[], None] | None = None, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "heedful", *map(str, words)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80", **variables}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, stdout=pipe, stderr=pipe, preexec_fn=prepare)

    return start


@pytest.fixture
def tiny() -> list[str]:
    """Settings of a model that trains in a moment."""
    return [word for setting in SETTINGS.split() for word in ("--set", setting)]
