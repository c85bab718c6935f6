"""A smaller model beside the one it came from: what it loses, with a bound, and what it saves, measured in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from heedful.cost.measure import Patience, minima
from heedful.manage.hashes import INPUTS
from heedful.manage.objective import Batch, Loss, token_losses
from heedful.manage.verify.bound import Bound, upper_bound
from heedful.manage.verify.pair import Pair, paired

PATIENCE = Patience(seconds=1.0, rounds=5)
Switch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Lost:
    """What the smaller model loses: nats a token more, the number they are below of with 95 %, KL from the larger, agreement."""

    dense: float
    bound: Bound
    kl: float
    agreement: float

    @property
    def mean(self) -> float:
        """The mean difference in nats a token."""
        return self.bound.mean

    def line(self) -> str:
        """In words."""
        few = f", from {self.bound.blocks} sequences only" if self.bound.few else ""
        return (
            f"loss {self.dense:.4f} -> {self.dense + self.mean:.4f} nats ({self.mean:+.4f}, 95% bound {self.bound.upper:+.4f}{few}), "
            f"KL {self.kl:.4f}, top-1 agreement {self.agreement:.1%}"
        )

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {"dense": self.dense, "difference": self.mean, **asdict_of(self.bound), "kl": self.kl, "agreement": self.agreement}


@dataclass(frozen=True)
class Saved:
    """Milliseconds of a forward pass and bytes of the weights, before and after."""

    milliseconds: tuple[float, float]
    bytes: tuple[int, int]
    parameters: tuple[int, int]
    length: int

    def line(self) -> str:
        """In words."""
        before, after = self.milliseconds
        return (
            f"a pass over {self.length:,} tokens {before:.2f} -> {after:.2f} ms ({before / after:.2f}x), "
            f"weights {self.bytes[0]:,} -> {self.bytes[1]:,} bytes ({self.bytes[1] / self.bytes[0]:.0%}), "
            f"{self.parameters[0]:,} -> {self.parameters[1]:,} numbers"
        )

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


@torch.no_grad()
def lost(dense: nn.Module, small: nn.Module, batches: Iterable[Batch], *, loss: Loss | None = None, within: Switch = nullcontext) -> Lost:
    """The paired difference over the batches, a sequence a block of the bootstrap; `within` is a plan the smaller model runs under."""
    found: list[Pair] = []
    for batch in batches:
        before = token_losses(dense, batch, loss)
        with within():
            after = token_losses(small, batch, loss)
        found.extend(paired(batch, before, after, "nll", 0))
    bound = upper_bound(np.array([pair.lost.sum() for pair in found]), np.array([float(len(pair.lost)) for pair in found]))
    first = np.concatenate([pair.dense for pair in found])
    kl, agrees = np.concatenate([pair.kl for pair in found]), np.concatenate([pair.agrees for pair in found])
    return Lost(float(first.mean()), bound, mean(kl), mean(agrees))


def mean(values: np.ndarray) -> float:
    """The mean; not a number where there is nothing (a loss of one's own gives no scores to compare)."""
    return float(values.mean()) if len(values) else float("nan")


def saved(dense: nn.Module, small: nn.Module, batch: Batch, *, within: Switch = nullcontext, patience: Patience = PATIENCE) -> Saved:
    """Both models on the clock in turns, over the longest row of a batch."""
    longest = int(batch["lengths"].argmax()) if "lengths" in batch else 0
    row = {name: value[longest : longest + 1] for name, value in batch.items() if name != "labels"}
    length = int(next(row[name] for name in INPUTS if name in row).shape[1])

    def planned() -> None:
        with within():
            called(small, row)

    with torch.inference_mode():
        before, after = minima([lambda: called(dense, row), planned], patience)
    return Saved((before, after), (weight_bytes(dense), weight_bytes(small)), (numbers(dense), numbers(small)), length)


def called(model: nn.Module, row: Batch) -> object:
    """A forward pass."""
    from heedful.models.language_model import LanguageModel

    return model(row["input_ids"]) if isinstance(model, LanguageModel) else model(**row)


def weight_bytes(model: nn.Module) -> int:
    """What the parameters and buffers take, shared memory once."""
    held = {tensor.data_ptr(): tensor.nbytes for tensor in (*model.parameters(), *model.buffers())}
    return sum(held.values())


def numbers(model: nn.Module) -> int:
    """Parameters, and weights kept in eight bits, shared ones once."""
    narrow = [tensor for tensor in model.buffers() if tensor.dtype == torch.int8]
    held = {tensor.data_ptr(): tensor.numel() for tensor in (*model.parameters(), *narrow)}
    return sum(held.values())


def asdict_of(bound: Bound) -> dict[str, float]:
    """A bound's numbers by name."""
    return {"bound": bound.upper, "level": bound.level, "sequences": bound.blocks, "error": bound.error}
