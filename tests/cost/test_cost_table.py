"""The file of measurements: written whole, read back, one for each machine; without one, the built-in rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heedful.cost import table
from heedful.cost.attention import Sizes
from heedful.cost.device import fingerprint
from heedful.cost.load import Load
from heedful.cost.model import Point
from heedful.errors import DataError

SIZES = Sizes(1, 8, 8, 512, 512, 64, 64)
KEY = ("sdpa", "float32", False)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEEDFUL_CACHE", str(tmp_path / "cache"))
    table.forget()
    yield
    table.forget()


def test_what_is_saved_is_predicted() -> None:
    rough = table.current().milliseconds(Load("sdpa", SIZES))
    assert rough is not None
    path = table.save({KEY: (Point(SIZES, 7.0),)}, fingerprint())
    assert path.parent == table.folder()
    assert table.current().milliseconds(Load("sdpa", SIZES)) == pytest.approx(7.0)
    assert table.current().milliseconds(Load("sdpa", SIZES, pieces=3)) == pytest.approx(21.0)
    assert table.current().measured(Load("sdpa", SIZES))
    assert not table.current().measured(Load("sdpa", SIZES, backward=True))


def test_other_threads_are_another_machine() -> None:
    table.save({KEY: (Point(SIZES, 7.0),)}, replace(fingerprint(), threads=77))
    assert not table.current().measured(Load("sdpa", SIZES))


def test_a_kernel_of_which_nothing_is_known_has_no_time() -> None:
    assert table.current().milliseconds(Load("abacus", SIZES)) is None
    assert table.current().milliseconds(Load("abacus", SIZES)) is None  # nor the second time, from what is kept


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_precisions_that_were_not_measured_go_by_their_likes(dtype: torch.dtype) -> None:
    table.save({KEY: (Point(SIZES, 7.0),)}, fingerprint())
    assert (table.current().milliseconds(Load("sdpa", replace(SIZES, dtype=dtype))) or 0) > 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}', "\x00"])
def test_a_file_that_went_bad_is_named_and_does_not_stop_attention(text: str) -> None:
    path = table.file_of(fingerprint())
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DataError, match=path.name):
        table.read(path, fingerprint())
    with pytest.warns(UserWarning, match="built-in rates"):
        assert table.current().milliseconds(Load("sdpa", SIZES)) is not None


def test_a_file_of_another_version_is_left_alone() -> None:
    path = table.save({KEY: (Point(SIZES, 7.0),)}, fingerprint())
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "version": 99}))
    assert table.read(path, fingerprint()) == {}
