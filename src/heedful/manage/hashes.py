"""Which sequences were looked at: a fingerprint of each, so that a plan is never verified on what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

INPUTS = ("input_ids", "ids", "pixel_values", "input_features", "input_values")


def sequence_hashes(batch: Mapping[str, Any]) -> tuple[str, ...]:
    """One hash a sequence, of its tokens without the padding: however sequences are batched, theirs are the same.

    >>> alone = sequence_hashes({"input_ids": torch.tensor([[5, 6]])})
    >>> padded = {"input_ids": torch.tensor([[5, 6, 0]]), "attention_mask": torch.tensor([[1, 1, 0]])}
    >>> alone == sequence_hashes(padded), len(alone[0])
    (True, 16)
    """
    return tuple(digest(row) for row in sequences(batch))


def sequence_lengths(batch: Mapping[str, Any]) -> tuple[int, ...]:
    """How many tokens each sequence has, padding left out.

    >>> sequence_lengths({"ids": torch.tensor([[5, 6, 0]]), "lengths": torch.tensor([2])})
    (2,)
    """
    return tuple(len(row) for row in sequences(batch))


def sequences(batch: Mapping[str, Any]) -> list[Tensor]:
    """What a model reads, row by row, without what only fills it up."""
    inputs = next((batch[name] for name in INPUTS if name in batch), None)
    if inputs is None:
        inputs = next(value for value in batch.values() if isinstance(value, Tensor))
    mask, lengths = batch.get("attention_mask"), batch.get("lengths")
    if mask is None and isinstance(lengths, Tensor):
        mask = torch.arange(inputs.shape[1], device=inputs.device) < lengths[:, None]
    if not isinstance(mask, Tensor) or mask.shape != inputs.shape:
        return list(inputs)
    return [row[real.bool()] for row, real in zip(inputs, mask, strict=True)]


def batches_hashes(batches: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Those of every sequence of the batches, sorted, each once."""
    return tuple(sorted({one for batch in batches for one in sequence_hashes(batch)}))


def digest(row: Tensor) -> str:
    """The start of the sha256 of a tensor's type, shape and bytes."""
    flat = row.detach().cpu().contiguous()
    total = hashlib.sha256(f"{flat.dtype} {tuple(flat.shape)}".encode())
    total.update(flat.flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()[:16]
