"""Adapters as files of their own: a few tensors, the names they have in the model, and what they were made for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from heedful import atomic
from heedful.errors import CheckpointError
from heedful.spec.adapter import AdapterSpec

VERSION, KEY = 1, "heedful-adapter"


def save_adapter(path: Path, spec: AdapterSpec, tensors: Mapping[str, Tensor], base: str) -> None:
    """Write the adapter alone; `base` is the hash of the model it stands beside."""
    header = json.dumps({"version": VERSION, "spec": asdict(spec), "base": base})
    atomic.write(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata={KEY: header}))


def read_adapter(path: Path) -> tuple[AdapterSpec, dict[str, Tensor], str]:
    """What `save_adapter` wrote; `CheckpointError` for anything else."""
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {}).get(KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: no adapter: {error}; `heedful adapt` writes one") from None
    if header.get("version") != VERSION:
        raise CheckpointError(f"{path}: an adapter of version {header.get('version')!r}, this Heedful reads {VERSION}")
    return AdapterSpec(**header["spec"]), tensors, str(header["base"])


def fill_adapter(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put the tensors into a model that has such an adapter; every one must fit."""
    here = model.state_dict()
    wrong = sorted(name for name, tensor in tensors.items() if name not in here or here[name].shape != tensor.shape)
    if wrong:
        raise CheckpointError(f"{path}: made for another model: it has no {wrong[0]} of shape {tuple(tensors[wrong[0]].shape)}")
    model.load_state_dict(dict(tensors), strict=False)
