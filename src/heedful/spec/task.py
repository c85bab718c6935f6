"""A whole run: the task, its data, its model and its training, as one file says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from heedful.spec.check import SpecError, require
from heedful.spec.classifier import ClassifierSpec
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec, ModelSpec
from heedful.spec.train import TrainSpec

VERSION = 1
Task = Literal["generate", "classify"]
RunModel = ModelSpec | ClassifierSpec
RunData = DataSpec  # told apart by `kind` where there are several


@dataclass(frozen=True)
class RunSpec:
    """What `heedful train` needs to know, and what a run folder remembers.

    >>> RunSpec(train=TrainSpec(steps=10)).model.kind
    'transformer'
    """

    version: int = VERSION
    task: Task = "generate"
    data: RunData = field(default_factory=DataSpec)
    model: RunModel = field(default_factory=DecoderSpec)
    train: TrainSpec = field(default_factory=TrainSpec)

    def __post_init__(self) -> None:
        newer = f"version {self.version} is newer than this Heedful reads ({VERSION}): upgrade Heedful"
        require(self.version <= VERSION, "version", newer)
        require(self.version >= 1, "version", f"must be 1 to {VERSION}, found {self.version}")

    @property
    def texts(self) -> DataSpec:
        """The data, if it is text; `SpecError` if it is of another kind."""
        if not isinstance(self.data, DataSpec):
            raise SpecError("data.kind", f"wants text for the task {self.task}, found {self.data.kind}")
        return self.data
