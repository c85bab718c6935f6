"""A short training with a gate or without, and the same model with its gate switched off."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import nn

from heedful.cost.summary import ModelCost
from heedful.data.batches import whole
from heedful.data.tokens import Tokenizer
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.meter import spending
from heedful.spec.attention import MechanismSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.task import RunSpec
from heedful.tasks.tour.plan import Plan
from heedful.tasks.training import cost_of, prepared
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.metrics import tally


@dataclass(frozen=True)
class Gated:
    """One gate, or none, under the same training for every seed.

    `on` and `off` are validation losses (nats a token) of each seed with the gate and, after the same training, with it
    switched off; `sentence` is the same pair on one sentence, the mean over seeds; `spent` is a_l of each layer under an
    adaptive gate; `job` is the first seed's.
    """

    name: str
    on: list[float]
    off: list[float]
    sentence: tuple[float, float]
    cost: ModelCost
    spent: list[float]
    job: Job

    @property
    def loss(self) -> float:
        """The mean over seeds."""
        return fmean(self.on)

    @property
    def spread(self) -> float:
        """Between the best seed and the worst."""
        return max(self.on) - min(self.on)


def with_gate(base: RunSpec, name: str | None, seed: int) -> RunSpec:
    """The short run with this gate."""
    assert isinstance(base.model, DecoderSpec)
    gate = None if name is None else MechanismSpec(name)
    return replace(base, model=replace(base.model, gate=gate), train=replace(base.train, seed=seed))


def gated(name: str | None, plan: Plan, tokenizer: Tokenizer) -> Gated:
    """Train with every seed, and measure."""
    jobs = [trained(with_gate(plan.gated, name, seed), tokenizer) for seed in plan.seeds]
    on = [loss(job) for job in jobs]
    at_sentence = fmean(of_sentence(job, plan.sentence) for job in jobs)
    spent = spending_of(jobs[0])
    with switched_off(*(job.model for job in jobs)):
        off = [loss(job) for job in jobs]
        sentence = (at_sentence, fmean(of_sentence(job, plan.sentence) for job in jobs))
    return Gated(name or "none", on, off, sentence, cost_of(jobs[0]), spent, jobs[0])


def trained(spec: RunSpec, tokenizer: Tokenizer) -> Job:
    """The run, trained; nothing is kept on disk."""
    job = prepared(spec, tokenizer)
    Trainer(job).fit()
    job.model.eval()
    return job


def loss(job: Job) -> float:
    """Nats a token over the whole validation text."""
    found = tally(job.model, whole(job.ids["validation"], job.spec.train.eval_batch, job.spec.model.context))
    return found.nats / found.tokens


@torch.no_grad()
def of_sentence(job: Job, sentence: str) -> float:
    """Nats a token on one sentence."""
    ids = job.tokenizer.encode(sentence)[None, : job.spec.model.context]
    return float(job.model(ids[:, :-1], labels=ids[:, 1:]).loss)


@torch.no_grad()
def spending_of(job: Job) -> list[float]:
    """What each adaptive layer spends on the validation text, as the mean of a_l."""
    if not any(isinstance(module, LayerwiseAdaptiveAttention) for module in job.model.modules()):
        return []
    with spending(job.model) as spent:
        job.model(next(whole(job.ids["validation"], 16, job.spec.model.context)).ids)
    return [float(torch.stack(calls).mean()) for calls in spent.layers.values()]


def quickest(found: Sequence[Gated], times: int) -> list[float]:
    """Milliseconds of each one's quickest forward and backward pass over one batch; they take turns, so that noise falls on all."""
    taken = [[step(one.job) for one in found] for _ in range(times)]
    return [min(times) for times in zip(*taken, strict=True)]


def step(job: Job) -> float:
    """Milliseconds of one forward and backward pass."""
    batch = next(whole(job.ids["train"], job.spec.train.batch, job.spec.model.context))
    started = time.perf_counter()
    job.model(batch.ids, labels=batch.labels).loss.backward()
    taken = 1000 * (time.perf_counter() - started)
    job.model.zero_grad()
    return taken


@contextmanager
def switched_off(*models: nn.Module) -> Iterator[None]:
    """While inside, no block has a gate."""
    blocks = [(block, block.gate) for model in models for block in model.modules() if isinstance(block, TransformerBlock)]
    try:
        for block, _ in blocks:
            block.gate = None
        yield
    finally:
        for block, gate in blocks:
            block.gate = gate
