"""A run's folder: what it holds, when it may be written to, and where a killed run goes on."""

from __future__ import annotations

import io
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from heedful import atomic
from heedful.data.tokens import Tokenizer, load_tokenizer, save_tokenizer
from heedful.errors import CheckpointError, UsageError
from heedful.spec import yaml
from heedful.spec.task import RunSpec


@dataclass(frozen=True)
class Run:
    """The files of a run under one folder.

    run.yaml, tokenizer.json, best.safetensors, last.safetensors, state-STEP.pt (what training needs to go on from the
    last checkpoint), history.jsonl, metrics.json, and the tracker's own folder, log.
    """

    path: Path

    @classmethod
    def create(cls, path: Path, spec: RunSpec, tokenizer: Tokenizer, overwrite: bool = False) -> Run:
        """A new run; a folder that holds anything is refused, an earlier run's files are removed if `overwrite`.

        Of several processes only the first touches the disk.
        """
        run = cls(path)
        if not first_process():
            return run
        run.make_room(overwrite)
        atomic.write(run.spec_path, yaml.dump(spec))
        save_tokenizer(tokenizer, run.tokenizer_path)
        return run

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run; `CheckpointError` if the folder is none."""
        run = cls(path)
        if not run.spec_path.is_file():
            found = "no such folder" if not path.exists() else "no run.yaml in it" if path.is_dir() else "a file"
            raise CheckpointError(f"{path}: not a run ({found}): a folder that `heedful train --out` wrote would work")
        return run

    @property
    def spec_path(self) -> Path:
        """The run's spec."""
        return self.path / "run.yaml"

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer."""
        return self.path / "tokenizer.json"

    @property
    def best_path(self) -> Path:
        """The checkpoint with the lowest validation loss."""
        return self.path / "best.safetensors"

    @property
    def last_path(self) -> Path:
        """The newest checkpoint."""
        return self.path / "last.safetensors"

    @property
    def history_path(self) -> Path:
        """One JSON object for each thing that was measured."""
        return self.path / "history.jsonl"

    @property
    def metrics_path(self) -> Path:
        """What evaluation found."""
        return self.path / "metrics.json"

    @property
    def log_path(self) -> Path:
        """The tracker's folder."""
        return self.path / "log"

    def kept_path(self, step: int) -> Path:
        """The weights of an evaluation, kept to be averaged with others."""
        return self.path / f"kept-{step}.safetensors"

    def state_path(self, step: int) -> Path:
        """What training needs to go on from the checkpoint of this step."""
        return self.path / f"state-{step}.pt"

    @property
    def spec(self) -> RunSpec:
        """The spec it was started with."""
        return yaml.load(self.spec_path, RunSpec)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer it was started with."""
        return load_tokenizer(self.tokenizer_path)

    @property
    def checkpoint_path(self) -> Path:
        """The best checkpoint, or the last where none was evaluated yet."""
        for path in (self.best_path, self.last_path):
            if path.is_file():
                return path
        raise CheckpointError(f"{self.path}: no checkpoint yet: training stopped before its first one; --resume starts it again")

    def make_room(self, overwrite: bool) -> None:
        """Refuse a folder in use, or remove an earlier run's own files from it; only the first process looks."""
        if not first_process():
            return
        if self.path.is_file():
            raise UsageError(f"{self.path}: a file; a run is a folder")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not self.spec_path.is_file():
            raise UsageError(f"{self.path}: a folder with other files in it; a new or empty folder would work")
        if not overwrite:
            raise UsageError(f"{self.path}: holds a run already: --resume goes on with it, --overwrite starts anew")
        fixed = (self.best_path, self.last_path, self.history_path, self.metrics_path, self.tokenizer_path, self.spec_path)
        for path in (*self.path.glob("state-*.pt"), *self.path.glob("kept-*.safetensors"), *self.path.glob(".*.part"), *fixed):
            path.unlink(missing_ok=True)

    def save_state(self, step: int, state: Mapping[str, Any]) -> None:
        """Write what training needs to go on from `step`; the states of other steps stay until `drop_states`."""
        memory = io.BytesIO()
        torch.save(dict(state), memory)
        with atomic.replacing(self.state_path(step)) as file:
            file.write(memory.getbuffer())

    def load_state(self, step: int) -> dict[str, Any]:
        """What training needs to go on from `step`."""
        path = self.state_path(step)
        try:
            loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise CheckpointError(f"{path}: no such file: the run cannot go on; --overwrite starts anew") from None
        except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
            raise CheckpointError(f"{path}: cut short or damaged ({type(error).__name__}); --overwrite starts anew") from None
        return loaded

    def drop_states(self, keep: int) -> None:
        """Remove the states of all steps but one, and what a killed process left half-written."""
        for path in self.path.glob(".*.part"):
            path.unlink(missing_ok=True)
        for path in self.path.glob("state-*.pt"):
            if path != self.state_path(keep):
                path.unlink(missing_ok=True)

    def save_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write what evaluation found."""
        atomic.write(self.metrics_path, json.dumps(metrics, indent=2) + "\n")


def first_process() -> bool:
    """Whether this is the process that writes and speaks, of as many as a launcher started."""
    return int(os.environ.get("RANK", "0")) == 0
