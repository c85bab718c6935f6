from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heedful.data.batches import Batch, whole
from heedful.errors import CheckpointError, HeedfulError, UsageError
from heedful.models.checkpoint import load_checkpoint
from heedful.spec import TrainSpec
from heedful.spec.yaml import dump
from heedful.train.history import read_history
from heedful.train.interrupt import Interrupted
from heedful.train.loop import Trainer
from heedful.train.metrics import tally
from heedful.train.objective import Carry, Outcome, next_token
from heedful.train.progress import Silent
from heedful.train.run import Run
from train.toy import Toy, job

SPEC = TrainSpec(steps=24, batch=4, learning_rate=1e-2, warmup=4, log_every=1, eval_every=6, checkpoint_every=5, eval_batch=8, threads=1)
CURVES = [
    SPEC,
    replace(SPEC, order="stream", accumulate=2),
    replace(SPEC, order="shuffled", optimiser="muon", log_every=3, schedule="linear"),
    replace(SPEC, precision="bf16", clip=None, schedule="constant"),
]


def curve(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["step"], row.get("loss"), row.get("rate"), row.get("validation"), row.get("accuracy")) for row in rows]


def run_for(path: Path, spec: TrainSpec) -> Run:
    todo = job(spec)
    return Run.create(path, todo.spec, todo.tokenizer)


def reference(spec: TrainSpec) -> list[tuple[Any, ...]]:
    return curve(Trainer(job(spec)).fit().history.rows)


def test_training_lowers_the_loss_and_keeps_a_run(tmp_path: Path) -> None:
    todo = job(replace(SPEC, steps=60))
    run = Run.create(tmp_path / "run", todo.spec, todo.tokenizer)
    result = Trainer(todo, run).fit()
    losses = [row["loss"] for row in result.history.rows if "loss" in row]
    assert losses[-1] < 0.9 * losses[0]
    assert (result.steps, result.stalled) == (60, False)
    assert result.history.rows == read_history(run.history_path)
    names = {path.name for path in run.path.iterdir()}
    assert names == {"run.yaml", "tokenizer.json", "best.safetensors", "last.safetensors", "state-60.pt", "history.jsonl"}
    assert run.spec == todo.spec
    assert run.tokenizer.encode("fox").tolist() == todo.tokenizer.encode("fox").tolist()


def test_the_best_checkpoint_is_the_best_measured(tmp_path: Path) -> None:
    todo = job(SPEC)
    run = Run.create(tmp_path / "run", todo.spec, todo.tokenizer)
    result = Trainer(todo, run).fit()
    best = load_checkpoint(run.best_path)
    assert (best.step, best.notes["validation"]) == (result.best_step, result.best)
    assert result.best == min(row["validation"] for row in result.history.rows if "validation" in row)
    model = Toy(todo.tokenizer.size)
    model.load_state_dict(dict(best.tensors))
    found = tally(model, whole(todo.ids["validation"], 8, 8))
    assert found.nats / found.tokens == result.best
    assert found.tokens == len(todo.ids["validation"]) - 1


@pytest.mark.parametrize("spec", CURVES)
@pytest.mark.parametrize("stop", [5, 13, 20])
def test_a_stopped_run_goes_on_bit_for_bit(spec: TrainSpec, stop: int, tmp_path: Path) -> None:
    class Pull(Silent):
        def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
            if step >= stop:
                os.kill(os.getpid(), signal.SIGINT)

    run = run_for(tmp_path / "run", spec)
    with pytest.raises(Interrupted, match=r"--out .*run --resume goes on"):
        Trainer(job(spec), run, Pull()).fit()
    torch.manual_seed(12345)
    assert curve(Trainer(job(spec), run, resume=True).fit().history.rows) == reference(spec)
    assert curve(read_history(run.history_path)) == reference(spec)


@pytest.mark.parametrize(("point", "spec"), [("step", CURVES[0]), ("step", CURVES[1]), ("between", CURVES[2]), ("writing", CURVES[0])])
def test_a_killed_run_goes_on_bit_for_bit(point: str, spec: TrainSpec, tmp_path: Path) -> None:
    tests = Path(__file__).parents[1]
    command = [sys.executable, str(tests / "train" / "killed.py"), str(tmp_path / "run"), point, dump(spec)]
    died = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tests)}, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    run = Run.open(tmp_path / "run")
    assert load_checkpoint(run.last_path).step == 10
    assert read_history(run.history_path)[-1]["step"] > 10
    result = Trainer(job(spec), run, resume=True).fit()
    assert curve(result.history.rows) == curve(read_history(run.history_path)) == reference(spec)
    assert [path.name for path in run.path.glob("state-*")] == ["state-24.pt"]
    assert not list(run.path.glob(".*"))


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    run.history_path.write_text('{"step": 1, "loss": 9.0}\n{"step": 2, "lo')
    assert curve(Trainer(job(SPEC), run, resume=True).fit().history.rows) == reference(SPEC)
    assert curve(read_history(run.history_path)) == reference(SPEC)


def test_a_finished_run_has_nothing_to_resume(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    first = Trainer(job(SPEC), run).fit()
    again = Trainer(job(SPEC), run, resume=True).fit()
    assert again.history.rows == first.history.rows
    assert (again.best, again.best_step, again.seconds) == (first.best, first.best_step, first.seconds)


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    constant = replace(SPEC, schedule="constant")
    run = run_for(tmp_path / "run", replace(constant, steps=12))
    Trainer(job(replace(constant, steps=12)), run).fit()
    assert curve(Trainer(job(constant), run, resume=True).fit().history.rows) == reference(constant)


def test_another_model_is_not_resumed(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    Trainer(job(SPEC), run).fit()
    other = job(SPEC)
    other = replace(other, spec=replace(other.spec, data=replace(other.spec.data, source="elsewhere")))
    with pytest.raises(CheckpointError, match="another data"):
        Trainer(other, run, resume=True)


def test_another_text_is_not_resumed(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    Trainer(job(SPEC), run).fit()
    changed = job(SPEC)
    ids = dict(changed.ids, train=changed.ids["train"].roll(1))
    with pytest.raises(CheckpointError, match="the text of 'toy' has changed"):
        Trainer(replace(changed, ids=ids), run, resume=True)


def test_a_lost_or_damaged_state_is_one_clear_line(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    Trainer(job(SPEC), run).fit()
    state = run.state_path(24)
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="cut short or damaged"):
        Trainer(job(SPEC), run, resume=True)
    state.unlink()
    with pytest.raises(CheckpointError, match="no such file"):
        Trainer(job(SPEC), run, resume=True)


def test_accumulation_is_a_larger_batch() -> None:
    whole_spec = replace(SPEC, batch=8, clip=None)
    batch = Trainer(job(whole_spec)).batches.draw()
    halves = [Batch(batch.ids[rows], batch.labels[rows]) for rows in (slice(4), slice(4, 8))]

    def weights(spec: TrainSpec, given: list[Batch]) -> Tensor:
        trainer = Trainer(job(spec))
        trainer.model.eval()
        trainer.batches.draw = iter(given).__next__  # type: ignore[method-assign]
        trainer.step()
        return torch.cat([weight.detach().flatten() for weight in trainer.model.parameters()])

    together, parts = weights(whole_spec, [batch]), weights(replace(whole_spec, batch=4, accumulate=2), halves)
    torch.testing.assert_close(parts, together)


def test_a_stalled_run_ends_early() -> None:
    spec = replace(SPEC, steps=200, learning_rate=1e-12, eval_every=2, patience=3)
    result = Trainer(job(spec)).fit()
    assert result.stalled
    assert result.steps < 200
    assert result.steps - result.best_step == 6


def test_a_loss_that_is_no_number_ends_the_run_before_it_is_saved(tmp_path: Path) -> None:
    def overflowing(model: nn.Module, batch: Batch, carry: Carry) -> Outcome:
        outcome = next_token(model, batch, carry)
        return outcome._replace(loss=outcome.loss * math.inf) if trainer.standing.step == 9 else outcome

    run = run_for(tmp_path / "run", SPEC)
    trainer = Trainer(replace(job(SPEC), objective=overflowing), run)
    with pytest.raises(HeedfulError, match=r"the loss is inf at step 10: a lower train.learning_rate"):
        trainer.fit()
    assert load_checkpoint(run.last_path).step == 5
    assert read_history(run.history_path)[-1]["step"] == 9


def test_a_full_disk_is_one_line_and_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_for(tmp_path / "run", SPEC)
    trainer = Trainer(job(SPEC), run)

    def full(handle: int) -> None:
        if trainer.standing.step > 6:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HeedfulError, match=r"cannot write .*state-10.pt: No space left on device"):
        trainer.fit()
    monkeypatch.undo()
    assert not list(run.path.glob(".*"))
    assert load_checkpoint(run.last_path).step == 5
    assert curve(Trainer(job(SPEC), run, resume=True).fit().history.rows) == reference(SPEC)


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    class Hurry(Silent):
        def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGINT)  # ignored, where the suite itself runs in the background
    with pytest.raises(KeyboardInterrupt, match="stopped at once") as caught:
        Trainer(job(SPEC), run_for(tmp_path / "run", SPEC), Hurry()).fit()
    assert not isinstance(caught.value, Interrupted)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_outside_the_main_thread() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(Trainer(job(SPEC)).fit().steps))
    thread.start()
    thread.join()
    assert found == [24]


def test_tensorboard_gets_what_the_history_has(tmp_path: Path) -> None:
    spec = replace(SPEC, tracker="tensorboard")
    run = run_for(tmp_path / "run", spec)
    Trainer(job(spec), run).fit()
    assert list(run.log_path.rglob("events.out.tfevents.*"))


def test_an_unknown_tracker_is_refused_with_the_nearest(tmp_path: Path) -> None:
    spec = replace(SPEC, tracker="tensorbored")
    with pytest.raises(UsageError, match="did you mean 'tensorboard'"):
        Trainer(job(spec), run_for(tmp_path / "run", spec))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_half_precision_wants_a_gpu() -> None:
    with pytest.raises(UsageError, match="fp16 needs a GPU"):
        Trainer(job(replace(SPEC, precision="fp16")))


def test_the_model_has_its_own_precision_again() -> None:
    todo = job(replace(SPEC, precision="bf16"))
    Trainer(todo).fit()
    ids = todo.ids["validation"][None, :8]
    assert torch.equal(todo.model.eval()(ids).logits, todo.model.forward(ids).logits)
    assert todo.model.hidden(todo.model.embed(ids)).dtype == torch.float32  # type: ignore[operator]
    fresh = job(SPEC).model.eval()
    fresh.load_state_dict(todo.model.state_dict())
    assert torch.equal(fresh(ids).logits, todo.model(ids).logits)


def test_history_rows_are_json_a_line(tmp_path: Path) -> None:
    run = run_for(tmp_path / "run", SPEC)
    Trainer(job(SPEC), run).fit()
    rows = [json.loads(line) for line in run.history_path.read_text().splitlines()]
    assert {"step", "loss", "rate", "tokens_per_second", "seconds"} <= rows[0].keys()
    assert [row["step"] for row in rows if "validation" in row] == [6, 12, 18, 24]
