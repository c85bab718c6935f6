"""Verification: a bound on what a plan loses, on text that nothing was chosen on, and what it saves on the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Final, final

from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.allocate.joint import assignment
from heedful.manage.hashes import batches_hashes
from heedful.manage.objective import Batch, Loss, Scored
from heedful.manage.plan import Plan
from heedful.manage.profile import Profile
from heedful.manage.simulate import simulated
from heedful.manage.still import still
from heedful.manage.verify.clock import reads_on
from heedful.manage.verify.judge import Judged, judged
from heedful.manage.verify.pair import alone, pairs
from heedful.manage.verify.parts import Parts, parts
from heedful.manage.verify.probes.probe import Probe
from heedful.manage.verify.probes.table import probed
from heedful.manage.verify.promoting import Promotion
from heedful.manage.verify.protocol import Protocol
from heedful.manage.verify.report import Report, Round
from heedful.manage.verify.run import Run, tried
from heedful.manage.verify.slices import slices

Tell = Callable[[str], None]
AFTER: Final = 8  # of a sequence, an eighth is decoded
NEAR: Final = 0.75  # of the plan's length, from which on a cache is judged at about the length that it was planned for
PLAIN: Final = Protocol()


def silent(text: str) -> None:
    """Nobody listens."""


def verify(
    model: nn.Module,
    plan: Plan,
    batches: Iterable[Batch],
    epsilon: float = 0.01,
    *,
    select: Iterable[Batch] | None = None,
    profile: Profile | None = None,
    loss: Loss | None = None,
    protocol: Protocol = PLAIN,
    tell: Tell = silent,
) -> Report:
    """Whether the plan loses at most `epsilon`, with a one-sided 95 % bound, and what it saves.

    A plan that loses too much is promoted: heads get back, for the best nats a millisecond, what they need, judged on other
    batches than the claim is made on. The claim is made once.

    Arguments:
        batches: re-iterable, of dicts passed as model(**batch). epsilon: in nats a token, or of the protocol's metric.
        select: batches to promote on; a third of `batches` unless given.
        profile: what options lose and cost, for promotion; measured on `select` unless given.
        loss: fn(model, batch) for models that are not judged by labels, a number or one an example.
        tell: hears what is being done.

    Raises `UsageError` for a plan of another model and for sequences that the plan was made on.
    """
    if not epsilon >= 0:
        raise UsageError(f"epsilon is what may be lost, 0 or more: found {epsilon}")
    plan.refuse(model)
    with still(model):
        return Verification(model, plan, parts(plan, batches, select), epsilon, profile, loss, protocol, tell).report()


@final
@dataclass(eq=False)
class Verification:
    """One verification under way."""

    model: nn.Module
    plan: Plan
    parts: Parts
    epsilon: float
    profile: Profile | None
    loss: Loss | None
    protocol: Protocol
    tell: Tell

    def report(self) -> Report:
        """Promote where it has to be, claim once, ask, and time."""
        rounds = self.promotions()
        self.tell(f"judging on {len(self.parts.test)} batches")
        found = self.judged(self.parts.test)
        probes = self.probes()
        run = self.run()
        reasons = (*self.lost(found), *run.reasons)
        return Report(
            passed=not reasons,
            metric=self.protocol.metric,
            epsilon=self.epsilon,
            level=self.protocol.level,
            mean=found.bound.mean,
            bound=found.bound.upper,
            error=found.bound.error,
            unit=found.unit,
            each=found.each,
            tokens=found.tokens,
            dense=found.dense,
            kl=found.kl,
            agreement=found.agreement,
            slices=slices(found.pairs),
            probes=probes,
            timings=run.timings,
            rounds=rounds,
            plan=self.plan,
            same=run.same,
            reasons=reasons,
            notes=self.notes(found, probes),
        )

    def promotions(self) -> tuple[Round, ...]:
        """Looks at the batches for promotion until the bound is within epsilon there, or there is nothing to promote."""
        select, found = self.parts.select, list[Round]()
        if not select:
            return ()
        dense = alone(self.model, select, self.loss, self.protocol.metric)
        promotion: Promotion | None = None
        for number in range(self.protocol.rounds + 1):
            now = self.judged(select, dense)
            found.append(Round(now.bound.mean, now.bound.upper, self.plan.predicted.milliseconds, ()))
            bound = now.bound.upper if isfinite(now.bound.upper) else now.bound.mean  # of two or three sequences there is none
            if bound <= self.epsilon or number == self.protocol.rounds:
                break
            promotion = promotion or Promotion.of(self.model, self.plan, select, self.profile, self.loss)
            self.plan, steps = promotion.richer(self.plan, bound, self.epsilon, batches_hashes(select))
            found[-1] = replace(found[-1], promoted=tuple(map(promotion.told, steps)))
            self.tell(f"round {number + 1}: bound {bound:.4g}, {len(steps)} promotions")
            if not steps:
                break
        return tuple(found)

    def lost(self, found: Judged) -> tuple[str, ...]:
        """Why the claim does not hold, if it does not."""
        if found.bound.upper <= self.epsilon:
            return ()
        few = "; fewer than twenty blocks bound loosely, and more text would help" if found.bound.few else ""
        return (f"the {self.protocol.level:.0%} bound is {found.bound.upper:.4g}, above epsilon {self.epsilon:g}{few}",)

    def probes(self) -> tuple[Probe, ...]:
        """The questions, of a model that reads left to right."""
        if not self.protocol.probes or self.loss is not None or not reads_on(self.plan, self.parts.test[0]):
            return ()
        self.tell("probes")
        decoding = self.plan.budget.phase == "decode"
        return probed(self.model, lambda at: self.planned(at if decoding else None)(), self.parts.test, self.plan, self.protocol)

    def run(self) -> Run:
        """The applied model: whether it says the same, and how long it takes."""
        self.tell("clock")
        return tried(self.model, self.plan, self.planned, self.parts.test, self.loss, self.protocol)

    def notes(self, found: Judged, probes: Sequence[Probe]) -> tuple[str, ...]:
        """What a reader should know."""
        said = [f"{probe.name}: the answer became {probe.lost:.1f} nats a token less likely" for probe in probes if probe.telling]
        if any(not probe.known for probe in probes):
            said.append("unknown: an answer that being told does not help the dense model to either, so that there is nothing to lose")
        if found.bound.few:
            said.append(f"the bound rests on {found.bound.blocks} blocks: with fewer than 20 it leans on each of them")
        if not self.parts.select:
            said.append("one sequence only: nothing was left to promote on")
        lengths = {pair.length for pair in found.pairs}
        if max(lengths) < self.plan.length // 2:
            said.append(
                f"the plan is for {self.plan.length:,} tokens, the longest text here has {max(lengths):,}: longer texts may lose more"
            )
        start = self.start(self.parts.test)
        if start is not None and start < NEAR * self.plan.length:
            said.append(f"caches were judged behind {start:,} tokens, the plan is for {self.plan.length:,}: there more is thrown out")
        return tuple(said)

    def judged(self, batches: Sequence[Batch], dense: Sequence[Scored] | None = None) -> Judged:
        """The plan's figures on some batches."""
        start, how = self.start(batches), self.protocol
        found = pairs(self.model, self.planned(start), batches, loss=self.loss, metric=how.metric, start=start or 0, dense=dense)
        return judged(tuple(found), how.level, how.block, how.seed)

    def planned(self, prefill: int | None) -> Callable[[], AbstractContextManager[None]]:
        """The model under the plan, by masks."""
        return partial(simulated, self.model, assignment(self.plan.choices), prefill)

    def start(self, batches: Sequence[Batch]) -> int | None:
        """Where decoding begins; None for a plan of passes."""
        if self.plan.budget.phase == "prefill":
            return None
        length = max(length_of(batch) for batch in batches)
        return min(self.protocol.prefill or length - max(1, length // AFTER), length - 1)


def length_of(batch: Batch) -> int:
    """Tokens of its sequences."""
    ids = batch.get("input_ids", batch.get("ids"))
    if not isinstance(ids, Tensor):
        raise UsageError(f"a plan for decoding is verified on tokens: found batches of {', '.join(batch)}")
    return int(ids.shape[1])
