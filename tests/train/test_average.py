"""The mean of kept weights against one taken by hand; rates that fall as the root of the steps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heedful.spec import RnnSeq2SeqSpec, RunSpec, TrainSpec
from heedful.spec.pairs import PairSpec
from heedful.tasks.translate.preparing import prepared
from heedful.train.average import average, kept
from heedful.train.loop import Trainer
from heedful.train.run import Run
from heedful.train.schedule import factor


def test_the_last_evaluations_are_averaged_and_kept_if_that_is_better(tmp_path: Path) -> None:
    model = RnnSeq2SeqSpec(embedding=8, hidden=8, context=24, dropout=0.0)
    train = TrainSpec(steps=9, batch=8, eval_every=2, average=3, log_every=1, warmup=0, learning_rate=0.02, smoothing=0.1, threads=1)
    data = PairSpec("numbers", tokenizer="char", limit=40, validation=0.005, test=0.0)
    job = prepared(RunSpec(task="translate", data=data, model=model, train=train)).job
    run = Run.create(tmp_path / "run", job.spec, job.tokenizer)
    trainer = Trainer(job, run)
    trainer.fit()
    assert [path.stem for path in kept(run, 9)] == ["kept-6", "kept-8", "kept-9"]
    before = trainer.standing.best
    said = average(trainer)
    assert said is not None
    from safetensors.torch import load_file

    whole = [load_file(path) for path in kept(run, 9)]
    for name, weight in job.model.state_dict().items():
        mean = sum(each[name].double() for each in whole) / 3
        torch.testing.assert_close(weight, mean.float(), atol=0, rtol=2**-23)  # the mean is rounded once
    best = load_file(run.best_path)
    better = trainer.standing.best < before
    assert better == ("left aside" not in said)
    assert all(torch.equal(best[name], weight) for name, weight in job.model.state_dict().items()) == better


def test_the_rate_falls_as_the_root_of_the_steps_and_not_below_the_floor() -> None:
    rates = [factor("inverse_sqrt", step, 10**6, warmup=4, floor=0.1) for step in (0, 3, 15, 99, 10**5)]
    assert rates == pytest.approx([0.25, 1.0, 0.5, 0.2, 0.1])
