"""Checkpoints: safetensors whose header also holds the run's spec and its tokenizer, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from heedful import atomic
from heedful.errors import CheckpointError, UsageError
from heedful.spec.plain import build, plain
from heedful.spec.task import RunModel, RunSpec

VERSION = 1
KEY = "heedful"
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: tensors by name, the run's spec, the tokenizer's state, the step, notes (metrics)."""

    tensors: Mapping[str, Tensor]
    spec: RunSpec
    tokenizer: Mapping[str, Any]
    step: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`; a tensor that stands under two names (tied weights) is kept once."""
    kept, aliases = untie(checkpoint.tensors)
    header = {
        "version": VERSION,
        "spec": plain(checkpoint.spec),
        "tokenizer": dict(checkpoint.tokenizer),
        "step": checkpoint.step,
        "notes": dict(checkpoint.notes),
        "aliases": aliases,
        "sha256": digest(kept),
    }
    atomic.write(path, save(kept, metadata={KEY: json.dumps(header)}))


def load_checkpoint(path: Path, kind: str | None = None) -> Checkpoint:
    """The checkpoint at `path`, checked whole; `kind` is the model it must hold ("transformer", "recurrent").

    Raises `CheckpointError`: missing, cut short, altered, newer, of another model, or with a vocabulary that does not fit.
    """
    header, tensors = read(path)
    if header.get("sha256") != digest(tensors):
        raise CheckpointError(f"{path}: its tensors were altered after it was written (sha256 differs)")
    try:
        spec = build(RunSpec, header["spec"])
        loaded = Checkpoint(
            tensors | {name: tensors[kept] for name, kept in header["aliases"].items()},
            spec,
            header["tokenizer"],
            header["step"],
            header["notes"],
        )
        fits(path, loaded, kind)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a whole checkpoint: {error!r} is missing or of another form") from None
    except UsageError as error:
        raise CheckpointError(f"{path}: its spec cannot be used: {error}") from None
    return loaded


def restore(path: Path, builder: Callable[[RunModel], M], kind: str | None = None) -> tuple[M, Checkpoint]:
    """The model that `builder` makes from the checkpoint's spec, with the checkpoint's tensors in it, and the rest."""
    checkpoint = load_checkpoint(path, kind)
    model = builder(checkpoint.spec.model)
    fill(path, model, checkpoint.tensors)
    return model, checkpoint


def fill(path: Path, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put `tensors` into `model`; every name and shape must fit."""
    wanted = model.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    wrong = [name for name in wanted.keys() & tensors.keys() if wanted[name].shape != tensors[name].shape]
    if missing or extra:
        raise CheckpointError(f"{path}: made for another model: missing {sample(missing)}, not wanted {sample(extra)}")
    if wrong:
        name = min(wrong)
        found, need = tuple(tensors[name].shape), tuple(wanted[name].shape)
        raise CheckpointError(f"{path}: made for another model: {name} has shape {found}, the model wants {need}")
    model.load_state_dict(dict(tensors))


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a file."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file: a run's best.safetensors or last.safetensors would work") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: cut short or no checkpoint: {error}") from None
    if text is None:
        raise CheckpointError(f"{path}: safetensors, but not written by Heedful (no {KEY!r} in its header)")
    return checked(path, json.loads(text)), tensors


def checked(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """The header, if this Heedful reads its version."""
    version = header.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise CheckpointError(f"{path}: checkpoint version {version!r}, this Heedful reads up to {VERSION}: upgrade Heedful")
    return header


def fits(path: Path, checkpoint: Checkpoint, kind: str | None) -> None:
    """Refuse another kind of model, and a model whose vocabulary is not the tokenizer's."""
    found = checkpoint.spec.model.kind
    if kind is not None and found != kind:
        raise CheckpointError(f"{path}: holds a {found} model, a {kind} one was asked for")
    size, vocabulary = checkpoint.tokenizer.get("size"), checkpoint.spec.model.vocabulary
    if size is not None and size != vocabulary:
        raise CheckpointError(f"{path}: the vocabulary does not fit: the tokenizer has {size} tokens, the model {vocabulary}")


def untie(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Each tensor once, on the CPU and contiguous; the other names of the same storage, and where they point."""
    first: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    kept: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    for name, tensor in tensors.items():
        place = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))
        if tensor.numel() and place in first:
            aliases[name] = first[place]
        else:
            first[place] = name
            kept[name] = tensor.detach().cpu().contiguous()
    return kept, aliases


def digest(tensors: Mapping[str, Tensor]) -> str:
    """The sha256 of the tensors' names and bytes."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].contiguous().flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def sample(names: list[str]) -> str:
    """A few names, and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more if names else "nothing"
