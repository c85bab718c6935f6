"""The benchmark: what is wrong is not timed, what is absent is said, what is measured is read back."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.window import Window
from heedful.bench import calibrate, peers, run
from heedful.bench.accuracy import Errors, check_options, errors
from heedful.bench.contest import Rival, contest, matrix_product, rate
from heedful.bench.figure import Figure, Goal, absent
from heedful.bench.problem import Problem, ours, sdpa
from heedful.bench.report import markdown, show
from heedful.bench.rows.row import Row
from heedful.bench.run import Report, bench, chosen
from heedful.bench.setting import Setting
from heedful.bench.table import ROWS
from heedful.cost import table
from heedful.cost.device import fingerprint
from heedful.cost.measure import Patience
from heedful.errors import HeedfulError, UsageError

ONCE = Patience(seconds=0.0, rounds=1, most=1)
FIGURES = (
    Figure("half", "bfloat16, N = 64, forward", "torch SDPA", 2.5, Goal(2.0), ours=1.0, theirs=2.5),
    Figure("half", "bfloat16, N = 64, forward", "bfloat16 matrix product", 0.3, Goal(0.45), "rate", 1.0, 2.0),
    absent("window", "float32", "local-attention", "not installed"),
)


def test_rows_are_named_once() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert chosen([]) == ROWS
    with pytest.raises(UsageError, match="unknown row 'windw': did you mean 'window'"):
        chosen(["windw"])


def test_a_contest_gives_ratios() -> None:
    problem = Problem(64)
    t = problem.tensors()
    rivals = [
        Rival("torch SDPA", sdpa(problem, t), Goal(0.0)),
        Rival("again", sdpa(problem, t), Goal(1e9, least=False), slower=True),
        matrix_product(torch.float32, problem.cost().operations, Goal(0.0)),
    ]
    faster, slower, share = contest(Setting(quick=True), "single", problem.case, ours(problem, t), rivals)
    assert faster.ours is not None
    assert faster.theirs is not None
    assert faster.value == pytest.approx(faster.theirs / faster.ours)
    assert slower.value == pytest.approx(slower.ours / slower.theirs)  # type: ignore[operator]
    assert share.value == pytest.approx(problem.cost().operations / (share.ours / 1e3) / rate(share))  # type: ignore[operator]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mask", [None, Causal(), Causal() & Window(9)], ids=str)
@pytest.mark.parametrize("backward", [False, True])
def test_right_results_pass(dtype: torch.dtype, mask: Causal | None, backward: bool) -> None:
    found = errors(Problem(200, dtype, mask, backward), "auto")
    assert 0 < found.ratio < 100
    check_options(Problem(200, dtype, mask, options={"position": "alibi"}), "auto")


def test_wrong_results_are_refused_and_named() -> None:
    Errors((1e-6, 1e-7), (1e-6, 1e-7), 1.0).check("work", torch.float32)
    for wrong in (1e-3, float("nan")):
        with pytest.raises(HeedfulError, match=r"work: error .* it is not timed"):
            Errors((wrong, wrong), (1e-6, 1e-7), 1.0).check("work", torch.float32)


def test_a_row_that_is_wrong_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(setting: Setting) -> Iterator[Figure]:
        raise HeedfulError("off by one")
        yield

    monkeypatch.setattr(run, "ROWS", (Row("a", "first", broken), Row("b", "second", lambda setting: iter(FIGURES))))
    told: list[str] = []
    report = bench(Setting(quick=True), (), told.append)
    assert [figure.note for figure in report.wrong] == ["off by one"]
    assert report.missed == (FIGURES[1],)
    assert len(report.figures) == 4
    assert told[0] == "a: first"
    assert set(report.rates) == {"float32 matrix product", "bfloat16 matrix product"}
    assert all(1e8 < rate < 1e15 for rate in report.rates.values())


def test_reports_say_what_was_missed_and_what_is_absent() -> None:
    report = Report(fingerprint(), {"float32 matrix product": 1.5e11}, FIGURES, quick=True)
    console = Console(record=True, width=160, file=io.StringIO())
    show(report, console)
    for text in (console.export_text(), markdown(report)):
        for word in ("2.50 x", ">= 2", "30%", ">= 45%", "NO", "not installed", "150 GFLOP/s", "1 of 2 targets", "quick"):
            assert word in text
    assert json.loads(json.dumps(report.record()))["figures"][1]["met"] is False


@pytest.mark.parametrize("name", ["local_attention", "x_transformers", "keras"])
def test_absent_peers_say_how_to_get_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    t = Problem(32).tensors()
    made = {
        "local_attention": lambda: peers.local_attention(t, 8),
        "x_transformers": lambda: peers.x_transformers(16, 2, torch.float32),
        "keras": lambda: peers.keras(16, 2, weights=False),
    }[name]()
    assert isinstance(made, str)
    assert "pip install" in made


def test_measuring_makes_predictions_this_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "folder", lambda: tmp_path)
    monkeypatch.setattr(calibrate, "PATIENCE", ONCE)
    monkeypatch.setattr(calibrate, "grid", lambda device, quick: iter([Problem(64), Problem(96, mask=Causal()), Problem(64, q=1)]))
    table.forget()
    found = calibrate.measure()
    assert found.path.parent == tmp_path
    held = table.read(found.path, fingerprint())
    kernels = {kernel for kernel, _, _ in held}
    assert {"sdpa", "sdpa causal", "naive", "naive masked", "tiles", "tiles masked", "decode"} <= kernels
    assert found.points == sum(map(len, held.values()))
    assert table.current().points.keys() == held.keys()
    table.forget()


def test_the_grid_holds_every_precision_and_pass() -> None:
    works = list(calibrate.grid("cpu", quick=True))
    assert {(work.dtype, work.backward) for work in works} == {(d, b) for d in (torch.float32, torch.bfloat16) for b in (False, True)}
    assert len(works) < len(list(calibrate.grid("cpu", quick=False)))
