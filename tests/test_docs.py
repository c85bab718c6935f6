"""What the pages show runs: every Python snippet, and every command line names a command and options that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_snippets_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, page.name, "exec"), names)
    capsys.readouterr()


def commands() -> list[str]:
    """The commands that the pages name, each once."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(set(re.findall(r"^    heedful (\w+)|`heedful (\w+)", text, re.MULTILINE)))


@pytest.mark.parametrize("command", sorted({a or b for a, b in commands()}))
def test_commands_exist_and_explain_themselves(command: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "heedful", command, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert run.returncode == 0, run.stderr
    assert f"heedful {command}" in run.stdout


def test_files_that_the_pages_name_are_there() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"`((?:attention|layers|tasks|cli|benchmarks|configs|tests)/[\w./-]+)`", text):
            assert any((home / name).exists() for home in (ROOT, ROOT / "src" / "heedful")), f"{page.name} names {name}"
