"""A run's model as training left it, ready to be used; every task's own loading begins here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from heedful.data.tokens import Tokenizer
from heedful.data.tokens.table import tokenizer_from
from heedful.manage.saving.checkpoints import restore
from heedful.models.checkpoint import Checkpoint
from heedful.spec.task import RunModel, RunSpec
from heedful.train.run import Run

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Restored(Generic[M]):
    """The run, its best model on the device it will be used on, what it reads with, and the checkpoint it came from."""

    run: Run
    model: M
    tokenizer: Tokenizer
    checkpoint: Checkpoint
    file: Path

    @property
    def spec(self) -> RunSpec:
        """The spec that the checkpoint holds."""
        return self.checkpoint.spec


def restored(path: Path, builder: Callable[[RunModel], M]) -> Restored[M]:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file, as a model in evaluation mode.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    run = Run(path.parent) if path.is_file() else Run.open(path)
    file = path if path.is_file() else run.checkpoint_path
    model, checkpoint = restore(file, builder, None if path.is_file() else run.spec.model.kind)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Restored(run, model.to(device).eval(), tokenizer_from(checkpoint.tokenizer, str(file)), checkpoint, file)
