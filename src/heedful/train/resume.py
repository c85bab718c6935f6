"""What a run keeps to go on: the last checkpoint and, beside it, everything else that the next step depends on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from torch import Tensor

from heedful.data.tokens import tokenizer_state
from heedful.errors import CheckpointError
from heedful.models.checkpoint import Checkpoint, fill, load_checkpoint, save_checkpoint
from heedful.train import chance
from heedful.train.job import Job, Standing
from heedful.train.objective import Carry
from heedful.train.run import Run

if TYPE_CHECKING:
    from heedful.train.loop import Trainer

VERSION = 1
State = Mapping[str, Any]


def save_last(trainer: Trainer) -> None:
    """Write the state, then the checkpoint that names its step, then drop older states: a kill leaves a whole pair."""
    started = time.perf_counter()
    states = everyones(trainer)
    tensors = trainer.accelerator.get_state_dict(trainer.model)
    if trainer.run and trainer.main:
        step = trainer.standing.step
        trainer.run.save_state(step, shared(trainer) | {"processes": states})
        save_checkpoint(trainer.run.last_path, checkpoint(trainer, tensors, {}))
        trainer.run.drop_states(keep=step)
    trainer.accelerator.wait_for_everyone()
    trainer.since += time.perf_counter() - started


def save_best(trainer: Trainer, loss: float) -> None:
    """Write the checkpoint with the lowest validation loss so far."""
    tensors = trainer.accelerator.get_state_dict(trainer.model)
    if trainer.run and trainer.main:
        save_checkpoint(trainer.run.best_path, checkpoint(trainer, tensors, {"validation": loss}))
    trainer.accelerator.wait_for_everyone()


def checkpoint(trainer: Trainer, tensors: Mapping[str, Tensor], notes: Mapping[str, float]) -> Checkpoint:
    """The model as it is now."""
    job = trainer.job
    return Checkpoint(tensors, job.spec, tokenizer_state(job.tokenizer), trainer.standing.step, notes)


def load_last(run: Run, job: Job) -> State | None:
    """Put the last checkpoint into the job's model and give the state beside it; None if training never got that far."""
    if not run.last_path.is_file():
        return None
    found = load_checkpoint(run.last_path)
    for field, then, now in (("model", found.spec.model, job.spec.model), ("data", found.spec.data, job.spec.data)):
        if then != now:
            raise CheckpointError(f"{run.last_path}: made with another {field}: a run goes on as it began; --overwrite starts anew")
    fill(run.last_path, job.model, found.tensors)
    state = run.load_state(found.step)
    if state.get("version") != VERSION:
        raise CheckpointError(f"{run.state_path(found.step)}: version {state.get('version')!r}, this Heedful reads {VERSION}")
    if state["text"] != job.fed.fingerprint():
        raise CheckpointError(f"{run.path}: the text of {job.spec.data.source!r} has changed since the run began; --overwrite starts anew")
    return state


def restart(trainer: Trainer, state: State | None) -> None:
    """Stand where `state` says; the history forgets what came after."""
    if state is not None:
        processes = trainer.accelerator.num_processes
        if len(state["processes"]) != processes:
            raise CheckpointError(f"the run was started with {len(state['processes'])} processes, and cannot go on with {processes}")
        trainer.standing = Standing(**state["standing"])
        take_shared(trainer, state)
        take_own(trainer, state["processes"][trainer.accelerator.process_index])
    trainer.history.rewind(trainer.standing.step)


def shared(trainer: Trainer) -> dict[str, Any]:
    """What is the same in all processes."""
    scaler = trainer.accelerator.scaler
    return {
        "version": VERSION,
        "text": trainer.job.fed.fingerprint(),
        "standing": asdict(trainer.standing),
        "optimisers": [optimiser.state_dict() for optimiser in trainer.optimisers],
        "scaler": scaler.state_dict() if scaler else None,
    }


def take_shared(trainer: Trainer, state: State) -> None:
    """Put it back; rates and decays are those of the spec in hand."""
    for optimiser, saved in zip(trainer.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved | {"param_groups": optimiser.state_dict()["param_groups"]})
    if trainer.accelerator.scaler and state["scaler"]:
        trainer.accelerator.scaler.load_state_dict(state["scaler"])


def everyones(trainer: Trainer) -> list[dict[str, Any]]:
    """What differs between processes: random generators, place in the data, what is carried on, the running loss."""
    own = {
        "random": chance.capture(),
        "cursor": trainer.batches.cursor(),
        "carry": placed(trainer.carry, "cpu"),
        "running": trainer.running.cpu(),
        "summed": trainer.summed,
        "elapsed": time.perf_counter() - trainer.since,
    }
    if trainer.accelerator.num_processes == 1:
        return [own]
    from accelerate.utils import gather_object

    gathered: list[dict[str, Any]] = gather_object([own])
    return gathered


def take_own(trainer: Trainer, own: State) -> None:
    """Put it back."""
    device = trainer.accelerator.device
    trainer.batches.seek(own["cursor"])
    trainer.carry = placed(own["carry"], device)
    trainer.running = own["running"].to(device)
    trainer.summed, trainer.elapsed = own["summed"], own["elapsed"]
    chance.put_back(own["random"])


def placed(carry: Carry, device: Any) -> Carry:
    """The carried tensors on a device, in plain tuples."""
    if isinstance(carry, tuple | list):
        return tuple(placed(part, device) for part in carry)
    return None if carry is None else carry.to(device)
