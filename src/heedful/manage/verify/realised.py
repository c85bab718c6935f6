"""Whether the model that a plan is applied to says what the simulated one said, which the claim was made about."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.manage.allocate.joint import kl
from heedful.manage.objective import Batch, token_losses
from heedful.manage.verify.decoding import Reader

Switch = Callable[[], AbstractContextManager[object]]
STEPS: Final = 4  # tokens that are decoded to compare
ALIKE: Final = {torch.float64: 1e-6, torch.float32: 1e-4}  # nats; coarser types differ by their rounding
COARSE: Final = 1e-2


@dataclass(frozen=True, slots=True)
class Realised:
    """KL in nats a place of the applied model to the simulated one, and how much of it is rounding."""

    apart: float
    alike: float

    @property
    def same(self) -> bool:
        """Whether they say the same but for rounding."""
        return self.apart <= self.alike


@torch.no_grad()
def realised(model: nn.Module, simulated: Switch, applied: Switch, batch: Batch, prefill: int | None = None) -> Realised | None:
    """One batch in one pass, or its tokens read up to `prefill` and then decoded, under both; None for a model without scores."""
    with simulated():
        planned = whole(model, batch, prefill)
    with applied():
        found = whole(model, batch, None) if prefill is None else stepped(model, batch["input_ids"], prefill)
    if planned is None or found is None:
        return None
    return Realised(max(0.0, float(kl(planned, found).mean())), ALIKE.get(next(model.parameters()).dtype, COARSE))


def whole(model: nn.Module, batch: Batch, prefill: int | None) -> Float[Tensor, "n v"] | None:
    """The logits of a pass, from `prefill` on where there is one."""
    logits = token_losses(model, batch).logits
    return None if logits is None else logits[:, prefill or 0 :].flatten(0, 1)


def stepped(model: nn.Module, ids: Int[Tensor, "b t"], prefill: int) -> Float[Tensor, "n v"]:
    """The logits of the tokens after `prefill`, one at a time from the cache."""
    reader = Reader(model)
    reader.read(ids[:, :prefill])
    return torch.cat([reader.read(ids[:, at : at + 1]) for at in range(prefill, ids.shape[1])], dim=1).flatten(0, 1)
