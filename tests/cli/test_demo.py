from __future__ import annotations

from pathlib import Path

import pytest

from heedful.__main__ import main
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan


def test_the_demo_ends_with_the_path_of_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tour(plan: Plan, folder: Path, guide: Guide, further: object) -> Path:
        assert callable(further)
        guide.arrive("A stop", f"seed {plan.transformer.train.seed}")
        return folder / "report.html"

    monkeypatch.setattr("heedful.tasks.tour.tour.tour", tour)
    assert main(["demo", "--out", str(tmp_path), "--seed", "5"]) == 0
    shown = capsys.readouterr().out
    assert "1/9  A stop\nseed 5" in shown
    assert shown.rstrip().endswith(str(tmp_path / "report.html"))


@pytest.mark.parametrize("words", [["--seed", "-1"], ["--threads", "0"], ["--seed", "x"], ["--minutes"]])
def test_bad_input_is_one_line(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "new"), *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "new").exists()
