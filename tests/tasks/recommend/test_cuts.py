"""Moments that roll back: sums that come out as means and margins of rows, trainings that are remembered, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from heedful.errors import UsageError
from heedful.spec import TrainSpec
from heedful.spec.interactions import LogDataSpec
from heedful.spec.ranker import RankerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.recommend import cuts
from heedful.tasks.recommend.cuts import rolled
from heedful.tasks.recommend.evaluation import margin
from heedful.tasks.recommend.preparing import prepared
from heedful.tasks.recommend.tally import Tally
from heedful.tasks.task import Measure
from heedful.train.loop import Trainer
from heedful.train.progress import Silent
from heedful.train.run import Run

USERS = ("ann", "bob", "cy")


def rows(seed: int, n: int = 30) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return rng.integers(3, size=n), rng.random(n) < 0.3, list(rng.random((3, n)))


def test_means_and_margins_are_those_of_the_rows() -> None:
    owner, new, columns = rows(0)
    found = Tally.of(USERS, owner, new, columns)
    assert found.mean().tolist() == pytest.approx([column.mean() for column in columns])
    assert found.mean("new").tolist() == pytest.approx([column[new].mean() for column in columns])
    assert found.margin().tolist() == pytest.approx([margin(column, owner) for column in columns])
    assert (found.targets(), found.targets("known"), found.targets("new")) == (30, int((~new).sum()), int(new.sum()))
    assert Tally.read(json.loads(json.dumps(found.record()))).mean().tolist() == found.mean().tolist()


def test_the_margin_of_a_difference_is_that_of_the_differences() -> None:
    owner, new, columns = rows(1)
    other = [column + 0.1 * np.arange(30) for column in columns]
    found = Tally.of(USERS, owner, new, columns).margin(Tally.of(USERS, owner, new, other))
    assert found.tolist() == pytest.approx([margin(a - b, owner) for a, b in zip(columns, other, strict=True)])


def test_users_of_several_cuts_are_one_user() -> None:
    (owner, new, columns), (owner_, new_, columns_) = rows(2), rows(3)
    both = Tally.together([Tally.of(USERS, owner, new, columns), Tally.of(("bob", "ann", "dee"), owner_, new_, columns_)])
    names = [USERS[i] for i in owner] + [("bob", "ann", "dee")[i] for i in owner_]
    users = np.array([sorted(set(names)).index(name) for name in names])
    joined = [np.concatenate(pair) for pair in zip(columns, columns_, strict=True)]
    assert both.margin().tolist() == pytest.approx([margin(column, users) for column in joined])
    assert both.mean().tolist() == pytest.approx([column.mean() for column in joined])


def test_seeds_are_averaged_target_by_target() -> None:
    (owner, new, columns), (_, _, others) = rows(4), rows(5)
    mean = Tally.mean_of([Tally.of(USERS, owner, new, columns), Tally.of(USERS, owner, new, others)])
    assert mean.targets() == 30
    assert mean.margin().tolist() == pytest.approx([margin((a + b) / 2, owner) for a, b in zip(columns, others, strict=True)])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two steps on forty users who take what is about as old as their own days: the latest items are new in the test part."""
    home, rng = tmp_path_factory.mktemp("runs"), np.random.default_rng(0)
    lines = ["user,item,time"]
    for user in range(40):
        for day in range(15):
            lines.append(f"u{user},i{int(day + rng.integers(6)):02d},{86_400 * (day + 1) + 60 * user}")
    (home / "log.csv").write_text("\n".join(lines))
    model = RankerSpec(context=8, width=8, layers=1, heads=1)
    train = TrainSpec(steps=2, batch=8, order="shuffled", warmup=0, eval_every=2, eval_batch=512)
    data = LogDataSpec(str(home / "log.csv"), test=0.2, repeats=True)
    found = prepared(RunSpec(task="recommend", data=data, model=model, train=train))
    made = Run.create(home / "reader", found.job.spec, found.job.tokenizer)
    Trainer(found.job, made).fit()
    return made


def test_cuts_and_seeds_are_trained_anew_and_remembered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []

    def reports(name: str) -> Silent:
        trained.append(name)
        return Silent()

    found = rolled(run, Measure(cuts=2, seeds=2), reports)
    assert trained == [
        "until 100% of the log, seed 1",
        "until 80% of the log, seed 0",
        "until 80% of the log, seed 1",
    ]  # the run is the first
    names = list(found.rows)
    assert names[0] == "attention"
    assert {"popularity", "ItemKNN", "EASE"} < set(names)
    by_cut, by_seed, above = found.listings
    assert [row[0] for row in by_cut.rows] == ["100% of the log", "80% of the log"]
    targets = [int(row[1]) for row in by_cut.rows]
    assert all(0 < int(row[2]) < int(row[1]) for row in by_cut.rows)  # some of them are new
    assert f"{sum(targets):,} targets" in found.protocol
    pooled = sum(n * float(row[3]) for n, row in zip(targets, by_cut.rows, strict=True)) / sum(targets)
    assert found.rows[names[0]]["hr@10"] == pytest.approx(pooled)
    assert [row[0] for row in by_seed.rows] == ["0", "1", "standard error"]
    assert np.mean([float(row[1]) for row in by_seed.rows[:2]]) == pytest.approx(pooled)
    assert [row[0] for row in above.rows] == ["hr@10", "ndcg@10", "mrr"]

    monkeypatch.setattr(cuts, "train", lambda *_: pytest.fail("what was answered is not trained again"))
    assert rolled(run, Measure(cuts=2, seeds=2), reports) == found
    assert not [folder for folder in (run.path / "trials").iterdir() if folder.is_dir()]


def test_the_runs_own_cut_is_the_run(run: Run) -> None:
    found = rolled(run, Measure(cuts=1), lambda name: pytest.fail(f"{name}: nothing is to be trained"))
    assert len(found.listings) == 2
    assert found.part == "test, 1 seed"


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (Measure(cuts=0), "one or more"),
        (Measure(cuts=2, seeds=0), "one or more"),
        (Measure(cuts=2, data="other.csv"), "without --data"),
        (Measure(cuts=2, split="validation"), "without --data and --split"),
        (Measure(cuts=2, folds=3), "--folds"),
    ],
)
def test_what_cannot_be_rolled_back_is_refused(run: Run, measure: Measure, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rolled(run, measure, lambda name: Silent())


def test_a_log_split_by_places_has_seeds_and_no_cuts(tmp_path: Path) -> None:
    spec = RunSpec(task="recommend", data=LogDataSpec(split="leave-one-out"), model=RankerSpec(vocabulary=9, width=8, heads=1))
    with pytest.raises(UsageError, match=r"data\.split=time"):
        cuts.refuse(spec, Measure(cuts=2), 2, 1)
    cuts.refuse(spec, Measure(seeds=2), 1, 2)
    with pytest.raises(UsageError, match=r"data\.test"):
        cuts.refuse(replace(spec, data=LogDataSpec(test=0.0)), Measure(cuts=2), 2, 1)
