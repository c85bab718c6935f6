"""A run that describes pictures: its model, tokenizer and spec, ready to be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from heedful.data.captions.captions import CaptionSet
from heedful.data.captions.sources import load_captions
from heedful.data.images.pictures import PARTS
from heedful.data.tokens import Tokenizer
from heedful.models.caption.build import build_captioner
from heedful.models.caption.captioning import Captioning
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.check import SpecError
from heedful.spec.task import RunSpec
from heedful.tasks.restored import restored
from heedful.train.run import Run


@dataclass(frozen=True, eq=False)
class LoadedCaptioner:
    """What a run has learnt: its best model, in evaluation mode, and what it writes with."""

    run: Run
    model: Captioning
    tokenizer: Tokenizer
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def captions(self, data: str | None = None, only: Sequence[str] = PARTS) -> CaptionSet:
        """The run's own pictures and texts, or others of the same size and channels (the columns of a table found anew)."""
        own = replace(captions_of(self.spec), size=self.model.size, channels=self.model.channels)
        return load_captions(own if data is None else replace(own, source=data, image=None, text=None), only)


def load_captioner(path: Path) -> LoadedCaptioner:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_captioner)
    return LoadedCaptioner(found.run, found.model, found.tokenizer, found.spec)


def captions_of(spec: RunSpec) -> CaptionDataSpec:
    """The data, if it is captions; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, CaptionDataSpec):
        raise SpecError("data.kind", f"wants captions for the task {spec.task}, found {spec.data.kind}")
    return spec.data
