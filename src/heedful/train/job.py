"""What is trained, and what training came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jaxtyping import Int
from torch import Tensor, nn

from heedful.data.tokens import Tokenizer
from heedful.spec.task import RunSpec
from heedful.train.feed import Feed, TokenFeed
from heedful.train.history import History
from heedful.train.objective import Objective, next_token


@dataclass(frozen=True)
class Job:
    """A model, the spec it was built from (its vocabulary filled in), and what it learns from.

    `ids` has the tokens of a text's parts, "train" and "validation"; `feed`, where there is one, stands in their place.
    `judge` is what the best model has least of on the validation part: nats, or labels that it gets wrong.
    """

    model: nn.Module
    spec: RunSpec
    tokenizer: Tokenizer
    ids: Mapping[str, Int[Tensor, " n"]] = field(default_factory=dict)
    objective: Objective = next_token
    feed: Feed | None = None
    judge: Literal["loss", "errors"] = "loss"

    @property
    def fed(self) -> Feed:
        """What it learns from."""
        return self.feed or TokenFeed(self.ids, self.spec.model.context)


@dataclass
class Standing:
    """Where training stands: optimiser steps done, the best validation so far and its step, evaluations since, seconds."""

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """What training came to: `best` is in nats (or the share of errors), `stalled` says that it ended early, for want of a better one."""

    steps: int
    best: float
    best_step: int
    seconds: float
    stalled: bool
    history: History = field(repr=False)
