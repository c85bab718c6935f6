"""What is trained, and what training came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Int
from torch import Tensor, nn

from heedful.data.tokens import Tokenizer
from heedful.spec.task import RunSpec
from heedful.train.history import History
from heedful.train.objective import Objective, next_token


@dataclass(frozen=True)
class Job:
    """A model, the spec it was built from (its vocabulary filled in), and the tokens of each part of the text.

    `ids` has "train" and "validation".
    """

    model: nn.Module
    spec: RunSpec
    tokenizer: Tokenizer
    ids: Mapping[str, Int[Tensor, " n"]]
    objective: Objective = next_token


@dataclass
class Standing:
    """Where training stands: optimiser steps done, the best validation loss and its step, evaluations since, seconds."""

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """What training came to: `best` is in nats, `stalled` says that it ended early, for want of a better loss."""

    steps: int
    best: float
    best_step: int
    seconds: float
    stalled: bool
    history: History = field(repr=False)
