"""`heedful.load`: the model in a folder, under its plan if there is one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from heedful.errors import CheckpointError
from heedful.manage.apply.apply import apply
from heedful.manage.plan import Plan
from heedful.manage.saving.checkpoints import restore
from heedful.manage.saving.folders import PLAN_FILE
from heedful.models.build import build
from heedful.models.classifiers import build_classifier
from heedful.models.pretrained import is_pretrained, open_pretrained
from heedful.spec.classifier import ClassifierSpec
from heedful.spec.task import RunModel

CHECKPOINTS = ("best.safetensors", "last.safetensors")


def load(path: Path | str) -> nn.Module:
    """The model in a run's folder, a checkpoint, or a Hugging Face folder, in evaluation mode; under the plan that is saved with it.

    >>> import heedful, tempfile
    >>> from heedful.models.checkpoint import Checkpoint, save_checkpoint
    >>> from heedful.spec import DecoderSpec, RunSpec
    >>> spec = RunSpec(model=DecoderSpec(vocabulary=11, layers=1, width=16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(Path(folder, "best.safetensors"), Checkpoint(build(spec.model).state_dict(), spec, {}))
    ...     type(heedful.load(folder)).__name__
    'Decoder'

    Errors: `CheckpointError` for what is missing, cut short or damaged, `UsageError` for a plan of other weights.
    """
    path = Path(path).expanduser()
    if path.is_dir() and is_pretrained(path):
        model: nn.Module = open_pretrained(path).model
        return apply(model, Plan.load(path / PLAN_FILE)) if (path / PLAN_FILE).is_file() else model
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return restore(path if path.is_file() else checkpoint_of(path), anything)[0].to(device).eval()


def checkpoint_of(run: Path) -> Path:
    """A run's best checkpoint, or its last."""
    found = next((run / name for name in CHECKPOINTS if (run / name).is_file()), None)
    if found is None:
        raise CheckpointError(f"{run}: no model in it: a run's folder, a checkpoint or a Hugging Face folder would work")
    return found


def anything(spec: RunModel) -> nn.Module:
    """The model of any run's spec."""
    return build_classifier(spec) if isinstance(spec, ClassifierSpec) else build(spec)
