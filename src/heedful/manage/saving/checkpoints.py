"""Checkpoints of planned models: the plan stands in the header, the tensors are those of the heads that are left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, TypeVar

from torch import nn

from heedful.errors import CheckpointError, HeedfulError
from heedful.manage.apply.apply import arrange
from heedful.manage.plan import Plan, closed_from
from heedful.models.checkpoint import Checkpoint, fill, load_checkpoint
from heedful.spec.task import RunModel

PLAN: Final = "plan"
M = TypeVar("M", bound=nn.Module)


def restore(path: Path, builder: Callable[[RunModel], M], kind: str | None = None) -> tuple[M, Checkpoint]:
    """The model that `builder` makes from the checkpoint's spec, under its plan if it has one, with the checkpoint's tensors in it.

    Errors: `CheckpointError` for what is missing, cut short, altered or of another model.
    """
    checkpoint = load_checkpoint(path, kind)
    model = builder(checkpoint.spec.model)
    if PLAN in checkpoint.notes:
        try:
            arrange(model, checkpoint.notes[PLAN]["choices"], None, closed_from(checkpoint.notes[PLAN].get("gates", ())))
        except (KeyError, TypeError, ValueError, HeedfulError) as error:
            raise CheckpointError(f"{path}: the plan in it does not fit its model: {error}") from error
    fill(path, model, checkpoint.tensors)
    return model, checkpoint


def planned(checkpoint: Checkpoint, model: nn.Module, plan: Plan) -> Checkpoint:
    """The checkpoint of a model that a plan was applied to, its tensors in the types they had before."""
    types = {name: tensor.dtype for name, tensor in checkpoint.tensors.items()}
    tensors = {name: tensor.to(types.get(name, tensor.dtype)) for name, tensor in model.state_dict().items()}
    return replace(checkpoint, tensors=tensors, notes={**checkpoint.notes, PLAN: asdict(plan)})
