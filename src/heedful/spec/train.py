"""How a model is trained: how long, how fast, and what is kept on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, positive, require, within

Schedule = Literal["cosine", "linear", "constant", "inverse_sqrt"]
Precision = Literal["no", "bf16", "fp16"]
Optimiser = Literal["adamw", "muon"]
Learn = Literal["task", "masked"]
Order = Literal["random", "shuffled", "stream"]


@dataclass(frozen=True)
class TrainSpec:
    """Every choice of a training run.

    Start: `start` is a run, or one of its checkpoints, whose weights and tokenizer this one begins with (None: drawn
    anew); the model may differ in what holds no weights, such as its context and masks.

    Length: `steps` of the optimiser or `epochs` over the text, whichever ends first (neither: 2,000 steps); `batch`
    sequences a process and micro-step, `accumulate` micro-steps a step. `order`: windows at random places, every
    segment once an epoch in shuffled order, or contiguous streams (a recurrent state or memory is carried along).

    Rate: `learning_rate` is reached after `warmup` steps and falls by `schedule` to `floor` times itself;
    `matrix_rate` is that of Muon's matrices. `clip` bounds the norm of the gradient (None: no bound).

    Budget: `budget` bounds the mean share of attention that is spent while learning: what adaptive gates or learned spans spend
    above it costs `price` nats for the whole of attention, and a model with neither learns under windows that grow. `growth` is the
    share of the steps over which windows grow to the whole context (None: none, unless the budget asks for it).

    Kept: validation every `eval_every` steps, the last checkpoint every `checkpoint_every`, a line of history every
    `log_every`; `patience` evaluations without a better loss end the run (None: never). `threads` None leaves torch's
    number; `tracker` is one of accelerate's by name.

    Pairs of texts: `batch_tokens` makes batches of about so many tokens a side, padding counted, in place of `batch` (None: of
    `batch` pairs); `smoothing` is the share of each label that is spread over all tokens; `average` of the last evaluations' weights
    are averaged at the end, if that is better (0: none).

    Rationales: what readers marked as the reason of a text's class guides what the model reads of it, by a cross entropy that weighs
    `rationale` beside that of the class (0: the class alone).

    Pretraining: `learn: masked` lets an encoder guess tokens that are hidden from it in place of its task.

    >>> TrainSpec(epochs=10, batch=64).length(steps_an_epoch=300)
    3000
    """

    start: str | None = None
    steps: int | None = None
    epochs: float | None = None
    batch: int = 16
    accumulate: int = 1
    order: Order = "random"
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    matrix_rate: float = 0.02
    schedule: Schedule = "cosine"
    warmup: int = 100
    floor: float = 0.1
    weight_decay: float = 0.1
    decay_embeddings: bool = True
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float | None = 1.0
    budget: float | None = None
    price: float = 1.0
    growth: float | None = None
    precision: Precision = "no"
    eval_every: int = 250
    eval_batch: int = 64
    checkpoint_every: int = 250
    log_every: int = 10
    patience: int | None = None
    seed: int = 0
    threads: int | None = None
    tracker: str = "none"
    batch_tokens: int | None = None
    smoothing: float = 0.0
    average: int = 0
    learn: Learn = "task"
    rationale: float = 0.0

    def __post_init__(self) -> None:
        positive({"steps": self.steps, "epochs": self.epochs, "batch": self.batch, "accumulate": self.accumulate})
        positive({"learning_rate": self.learning_rate, "matrix_rate": self.matrix_rate, "clip": self.clip})
        positive({"eval_every": self.eval_every, "checkpoint_every": self.checkpoint_every, "log_every": self.log_every})
        positive({"eval_batch": self.eval_batch, "patience": self.patience, "threads": self.threads})
        within({"betas": min(self.betas)}, 0.0, 1.0)
        within({"betas": max(self.betas)}, 0.0, 1.0)
        require(self.budget is None or 0 < self.budget <= 1, "budget", f"must lie in (0, 1], found {self.budget}")
        require(self.growth is None or 0 < self.growth <= 1, "growth", f"must lie in (0, 1], found {self.growth}")
        require(self.price >= 0, "price", f"must not be negative, found {self.price:g}")
        require(0 <= self.floor <= 1, "floor", f"must lie in [0, 1], found {self.floor:g}")
        require(self.warmup >= 0, "warmup", f"must not be negative, found {self.warmup}")
        require(self.weight_decay >= 0, "weight_decay", f"must not be negative, found {self.weight_decay:g}")
        positive({"batch_tokens": self.batch_tokens})
        within({"smoothing": self.smoothing}, 0.0, 1.0)
        require(self.rationale >= 0, "rationale", f"must not be negative, found {self.rationale:g}")
        require(self.average >= 0, "average", f"must not be negative, found {self.average}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")
        one_of("learn", self.learn, get_args(Learn))
        one_of("order", self.order, get_args(Order))
        one_of("optimiser", self.optimiser, get_args(Optimiser))
        one_of("schedule", self.schedule, get_args(Schedule))
        one_of("precision", self.precision, get_args(Precision))
        scaled = self.precision == "fp16" and self.optimiser == "muon"
        require(not scaled, "precision", "fp16 scales gradients for one optimiser, muon brings two: bf16 or no would work")

    def length(self, steps_an_epoch: float) -> int:
        """How many optimiser steps the run takes, over data of `steps_an_epoch` steps an epoch."""
        if self.epochs is None:
            return self.steps or 2000
        by_epochs = max(1, round(self.epochs * steps_an_epoch))
        return min(by_epochs, self.steps or by_epochs)
