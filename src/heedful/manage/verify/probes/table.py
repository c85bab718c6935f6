"""Every probe, and all of them asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from heedful.manage.objective import Batch
from heedful.manage.plan import Plan
from heedful.manage.verify.probes.again import again
from heedful.manage.verify.probes.copy import copy
from heedful.manage.verify.probes.needle import KEY, VALUE, needle
from heedful.manage.verify.probes.probe import At, Probe, Text
from heedful.manage.verify.protocol import Protocol

PROBES: Final[tuple[Callable[[nn.Module, At, Text, int, int], Iterator[Probe]], ...]] = (needle, copy, again)
SHORTEST: Final = 6 * (KEY + VALUE)  # tokens that hold every question


def probed(model: nn.Module, planned: At, batches: Sequence[Batch], plan: Plan, how: Protocol) -> tuple[Probe, ...]:
    """All probes, in texts as long as the plan is for, or as the batches' are; none where they are too short."""
    rows = [batch.get("input_ids", batch.get("ids")) for batch in batches]
    found = [ids for ids in rows if isinstance(ids, Tensor)]
    longest = max(ids.shape[1] for ids in found)
    length = min(plan.length, longest)
    if length < SHORTEST:
        return ()
    text = Text(torch.cat([ids for ids in found if ids.shape[1] == longest])[: 2 * how.probes], how.seed)
    return tuple(one for probe in PROBES for one in probe(model, planned, text, length, how.probes))
