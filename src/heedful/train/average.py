"""The mean of the last evaluations' weights, which is often better than any of them (Vaswani et al. 2017, §6.1; Izmailov et al. 2018)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from heedful.models.checkpoint import fill, load_checkpoint, save_checkpoint
from heedful.train.resume import checkpoint, save_best
from heedful.train.run import Run

if TYPE_CHECKING:
    from heedful.train.loop import Trainer


def keep(trainer: Trainer) -> None:
    """Write the weights of this evaluation, and drop those that are too old to count."""
    tensors = trainer.accelerator.get_state_dict(trainer.model)
    if trainer.run and trainer.main:
        step = trainer.standing.step
        save_checkpoint(trainer.run.kept_path(step), checkpoint(trainer, tensors, {}))
        for path in kept(trainer.run, step)[: -trainer.spec.average]:
            path.unlink(missing_ok=True)
    trainer.accelerator.wait_for_everyone()


def kept(run: Run, step: int) -> list[Path]:
    """The weights kept up to a step, the oldest first."""
    found = {int(path.stem.removeprefix("kept-")): path for path in run.path.glob("kept-*.safetensors")}
    return [found[at] for at in sorted(found) if at <= step]


def mean(paths: list[Path]) -> dict[str, Tensor]:
    """The mean of each floating-point tensor, summed in float64; of others the last."""
    whole = [load_checkpoint(path).tensors for path in paths]
    last = whole[-1]
    return {
        name: torch.stack([each[name].double() for each in whole]).mean(0).to(last[name].dtype)
        if last[name].is_floating_point()
        else last[name]
        for name in last
    }


def average(trainer: Trainer) -> str | None:
    """Put the mean of what was kept into the model and keep it as the best where it is; what came of it, in words.

    Of a finished run, whose weights are all there; None where nothing was kept.
    """
    if trainer.run is None or not trainer.main:
        return None
    paths = kept(trainer.run, trainer.standing.step)[-trainer.spec.average :] if trainer.spec.average else []
    if len(paths) < 2:
        return None
    fill(paths[-1], trainer.job.model, mean(paths))
    found = trainer.judge()
    loss, at = found.nats / found.tokens, trainer.standing
    better = loss < at.best
    if better:
        at.best, at.best_step = loss, at.step
        save_best(trainer, loss)
    return f"the mean of the last {len(paths)} evaluations' weights: {loss:.4f} nats" + ("" if better else ", no better, and left aside")
