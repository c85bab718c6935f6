"""Accelerate, set up for a run: device, precision and the tracker of the user's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from heedful.errors import MissingExtra, UsageError, unknown
from heedful.spec.plain import plain
from heedful.spec.task import RunSpec
from heedful.train.run import Run

if TYPE_CHECKING:
    from accelerate import Accelerator

PROJECT = "heedful"


def accelerator_for(spec: RunSpec, run: Run | None) -> Accelerator:
    """The accelerator of a run, with its tracker; one process or as many as the launcher started."""
    try:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
    except ImportError:
        raise MissingExtra("accelerate", "train", "training") from None
    # Accelerate keeps one state a process and refuses a second precision: a new run starts with a clean one.
    AcceleratorState._reset_state()
    tracker = None if spec.train.tracker == "none" or run is None else checked(spec.train.tracker)
    accelerator = Accelerator(
        mixed_precision=spec.train.precision,
        cpu=not torch.accelerator.is_available(),  # processes on CPUs find each other only if told that they are on CPUs
        log_with=tracker,
        project_dir=str(run.log_path) if run else None,
    )
    if spec.train.precision == "fp16" and accelerator.device.type == "cpu":
        raise UsageError("train.precision: fp16 needs a GPU, and there is none here: bf16 or no would work")
    if tracker:
        accelerator.init_trackers(PROJECT, config=flat(plain(spec)))
    return accelerator


def alone(accelerator: Accelerator) -> bool:
    """Whether no other process shares the gradient and nothing scales the loss."""
    return accelerator.num_processes == 1 and accelerator.scaler is None


def checked(tracker: str) -> str:
    """The tracker's name, if accelerate knows it and its package is there."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

    if tracker not in LOGGER_TYPE_TO_CLASS:
        raise unknown("tracker", tracker, ["none", *LOGGER_TYPE_TO_CLASS])
    if tracker not in [str(available) for available in get_available_trackers()]:
        raise MissingExtra(tracker, "train", f"the tracker {tracker}")
    return tracker


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, str | int | float | bool]:
    """Nested fields as `a.b`, which is what trackers take.

    >>> flat({"model": {"width": 8, "mask": ["causal"]}})
    {'model.width': 8, 'model.mask': "['causal']"}
    """
    out: dict[str, str | int | float | bool] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{name}.")
        else:
            out[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return out
