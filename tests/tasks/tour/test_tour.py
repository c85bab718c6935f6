from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from heedful.errors import UsageError
from heedful.spec import yaml
from heedful.spec.model import DecoderSpec
from heedful.spec.task import RunSpec
from heedful.tasks.generate import Generate
from heedful.tasks.loading import load
from heedful.tasks.task import Start
from heedful.tasks.tour.gated import gated, loss, quickest, switched_off, trained, with_gate
from heedful.tasks.tour.guide import STOPS, Guide
from heedful.tasks.tour.heads import cut, even, opening
from heedful.tasks.tour.plan import GATES, Plan, plan
from heedful.tasks.tour.spending import longer, shares
from heedful.tasks.tour.tour import tour
from heedful.tasks.training import cost_of, prepared
from heedful.train.history import read_history
from heedful.train.job import Job


@pytest.fixture(scope="session")
def taken(small_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The tour's folder, and what it said."""
    folder = tmp_path_factory.mktemp("tour") / "demo"
    said = io.StringIO()
    report = tour(small_plan, folder, Guide(Console(file=said, width=80)))
    assert report == folder / "report.html"
    return folder, said.getvalue()


def test_every_stop_is_announced(taken: tuple[Path, str]) -> None:
    assert re.findall(r"^(\d)/8 ", taken[1], flags=re.MULTILINE) == [str(i + 1) for i in range(STOPS)]
    assert "trigram" in taken[1]
    assert all(gate in taken[1] for gate in GATES)


def test_the_report_shows_all_that_was_promised(taken: tuple[Path, str]) -> None:
    whole = (taken[0] / "report.html").read_text(encoding="utf-8")
    titles = [
        "At a glance",
        "How it learnt",
        "How well it predicts",
        "What it writes, and where it looked",
        "Every layer, every head",
        "How far each head looks",
        "What attention took",
        "One sentence, every mechanism",
        "Gates, on and off",
        "Half of its attention",
    ]
    assert re.findall(r"<h2>([^<]*)</h2>", whole) == titles
    assert whole.count("<button") == 4
    assert "<b>books" not in whole
    assert not re.search(r"https?://", whole)
    assert whole.count('class="command"') >= 8


def test_the_commands_repeat_what_was_measured(taken: tuple[Path, str], small_plan: Plan, tmp_path: Path) -> None:
    for config, run in (("transformer/run.yaml", "transformer"), ("recurrent/run.yaml", "recurrent")):
        Generate().train(yaml.load(taken[0] / config, RunSpec), Start(tmp_path / run))
        again, before = (read_history(folder / run / "history.jsonl") for folder in (tmp_path, taken[0]))
        assert [row["validation"] for row in again if "validation" in row] == [row["validation"] for row in before if "validation" in row]
    config = yaml.load(taken[0] / "gates" / "squeeze_excitation.yaml", RunSpec)
    Generate().train(config, Start(tmp_path / "gate"))
    found = gated("squeeze_excitation", small_plan, load(taken[0] / "transformer").tokenizer)
    assert read_history(tmp_path / "gate" / "history.jsonl")[-1]["validation"] == pytest.approx(found.on[0], abs=1e-9)


def test_a_second_tour_takes_the_place_of_the_first(taken: tuple[Path, str], small_plan: Plan) -> None:
    before = (taken[0] / "report.html").stat().st_ino
    tour(small_plan, taken[0], Guide(Console(file=io.StringIO())))
    assert (taken[0] / "report.html").stat().st_ino != before


def test_other_peoples_files_stay(small_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        tour(small_plan, tmp_path, Guide(Console(file=io.StringIO())))
    assert (tmp_path / "transformer" / "thesis.txt").read_text() == "mine"
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="a file"):
        tour(small_plan, file, Guide(Console(file=io.StringIO())))


def test_gates_are_switched_off_and_on_again(small_plan: Plan) -> None:
    job = trained(with_gate(small_plan.gated, "squeeze_excitation", 0), prepared(small_plan.gated).tokenizer)
    on = loss(job)
    with pytest.raises(RuntimeError, match="stop"):
        stopped_while_off(job, on)
    assert loss(job) == on


def stopped_while_off(job: Job, on: float) -> None:
    with switched_off(job.model):
        assert loss(job) != on
        raise RuntimeError("stop")


def test_an_adaptive_gate_says_what_each_layer_spends(small_plan: Plan) -> None:
    found = gated("layerwise_adaptive", replace(small_plan, seeds=(0,)), prepared(small_plan.gated).tokenizer)
    assert len(found.spent) == 2
    assert all(0 < spent < 1 for spent in found.spent)
    assert found.spread == 0.0
    assert all(taken > 0 for taken in quickest([found, found], 2))


def test_the_share_of_attention_at_another_length_is_as_counted(small_plan: Plan) -> None:
    job = prepared(small_plan.transformer)
    assert isinstance(job.spec.model, DecoderSpec)
    cost = cost_of(job)
    assert sum(shares(cost).values()) == pytest.approx(1.0)
    assert longer(cost, 24, 24) == pytest.approx(cost.share)
    twice = replace(job, spec=replace(job.spec, model=replace(job.spec.model, context=48)))
    assert longer(cost, 24, 48) == pytest.approx(cost_of(twice).share, rel=1e-6)


def test_windows_cover_the_text_and_are_whole() -> None:
    ids = torch.arange(100)
    windows = cut(ids, 24, 3)
    assert windows.shape == (3, 24)
    assert (windows[0, 0], windows[-1, -1]) == (0, 99)
    assert cut(ids, 500, 3).shape == (1, 100)


def test_a_passage_begins_with_a_sentence() -> None:
    text = "tail of something\n\nThe title\n*********\n\n   code\n\nThe import statement" + " finds a module, and binds it;" * 10 + "\n"
    assert text[opening(text) :].startswith("The import")
    assert opening("no such thing") == 0


def test_a_head_that_reads_alike() -> None:
    assert even(128) == pytest.approx(127 / 4)


def test_the_plan_is_the_seeds() -> None:
    assert plan(3).transformer.train.seed == 3
    assert plan(3).seeds == (3, 4)
