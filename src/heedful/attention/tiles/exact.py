"""Arithmetic in the types that were chosen."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

AS_IT_IS: AbstractContextManager[None] = nullcontext()


def exact(device: torch.device) -> AbstractContextManager[None]:
    """Without autocast, which would change the type of what is written into scratch memory."""
    return torch.autocast(device.type, enabled=False) if torch.is_autocast_enabled(device.type) else AS_IT_IS
