"""The command itself: quick to help, plain in refusal, quiet when a pipe closes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from heedful.__main__ import wait_briefly
from heedful.cli.app import COMMANDS


def test_threads_spin_briefly_unless_the_environment_says_how_they_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(given, "1")  # so that it is taken back
        monkeypatch.delenv(given)
    wait_briefly()
    assert int(os.environ["GOMP_SPINCOUNT"]) < 300_000  # libgomp's own
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_help_lists_every_command_and_imports_no_torch(process: Callable[..., subprocess.Popen[str]]) -> None:
    script = "import sys; from heedful.__main__ import main; main(['--help']); print('torch' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "False"
    for command in COMMANDS:
        assert command.__name__ in done.stdout


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_has_a_help_page(heedful: Callable, command: str) -> None:
    said = heedful(command, "--help")
    assert said.code == 0
    assert f"heedful {command}" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_version(heedful: Callable) -> None:
    from heedful.version import __version__

    assert heedful("--version").out.strip() == __version__


@pytest.mark.parametrize(("words", "parts"), [
    (("trian",), ('"trian"', '"train"')),
    (("train", "generate", "--sed", "3"), ("--sed", "--seed")),
    (("train", "generate", "--seed", "three"), ("--seed", '"three"', "int")),
    (("train",), ("TASK",)),
    (("evaluate", "runs/x", "--split", "tset"), ("tset", "test")),
    (("mechanisms", "--family", "scroes"), ("scroes", "score")),
    (("predict", "runs/x", "--temperature", "-1"), ("temperature", "-1")),
    (("predict", "runs/x", "--top-p", "2"), ("top_p", "2")),
])  # fmt: skip
def test_bad_usage_is_one_line_with_what_would_work(
    heedful: Callable, refused: Callable, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(heedful(*words), 2, *parts)


def test_debug_lets_the_traceback_through(heedful: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    from heedful.errors import HeedfulError

    monkeypatch.setenv("HEEDFUL_DEBUG", "1")
    with pytest.raises(HeedfulError, match="not a run"):
        heedful("evaluate", "nowhere")


def test_a_closed_pipe_is_quiet(process: Callable[..., subprocess.Popen[str]]) -> None:
    with process("mechanisms", "--json") as running:
        running.stdout.close()  # type: ignore[union-attr]
        assert running.wait(60) == 141
        assert running.stderr.read() == ""  # type: ignore[union-attr]


def test_the_catalogue_is_data(heedful: Callable) -> None:
    rows = json.loads(heedful("mechanisms", "--json").out)
    assert {row["family"] for row in rows} == {"score", "mask", "position", "weighting", "feature map", "gate"}
    by_name = {(row["family"], row["name"]): row for row in rows}
    assert by_name["score", "scaled_dot"]["backends"] == ["decode", "sdpa", "tiled", "flex", "naive"]
    assert by_name["score", "additive"]["backends"] == ["decode", "naive"]
    assert all(row["formula"] and row["source"] and row["cost"] for row in rows)
    assert [row["name"] for row in json.loads(heedful("mechanisms", "--family", "gates", "--json").out)] == [
        row["name"] for row in rows if row["family"] == "gate"
    ]


def test_the_catalogue_fits_80_columns(heedful: Callable) -> None:
    out = heedful("mechanisms").out
    assert max(map(len, out.splitlines())) <= 80
    for name in ("scaled_dot", "bigbird", "rope", "sparsemax", "elu1", "squeeze_excitation"):
        assert name in out
