from __future__ import annotations

import stat
from pathlib import Path

import pytest

from heedful import atomic
from heedful.errors import HeedfulError


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    atomic.write(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    atomic.write(path, b"second")
    assert path.read_bytes() == b"second"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~atomic.umask()


def test_an_error_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    atomic.write(path, "first")

    def broken() -> None:
        with atomic.replacing(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert path.read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HeedfulError, match=r"cannot write .*file/a\.txt: "):
        atomic.write(tmp_path / "file" / "a.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(HeedfulError, match="cannot write"):
        atomic.write(tmp_path / "folder", "x")
