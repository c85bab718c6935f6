"""Training under a budget of attention: the plain model, windows that grow, and spans that are learned, turn by turn in one run.

    python benchmarks/budgeted.py                            # a byte-level language model of 2,048 bytes, 4 layers of 128
    python benchmarks/budgeted.py --task imdb --context 1024 # an encoder of IMDB's reviews by bytes ($HEEDFUL_DATA)

All arms start from the same weights and see the same batches. They take turns of some steps each, so that all meet the same noise;
what counts is the time of the process over all steps of an arm, and its accuracy over the whole validation part, seen in full (with
learned spans: as far as the spans reach), and the milliseconds of its forward pass there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from heedful.spec import AttentionSpec, DataSpec, DecoderSpec, EncoderSpec, RunSpec, SpanSpec, TrainSpec
from heedful.tasks.classify.preparing import prepared as labelled
from heedful.tasks.training import prepared
from heedful.train.budgeted.growth import growth_to
from heedful.train.budgeted.spend import span_spend, spans
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.metrics import moved

STEPS = 5  # a turn
ROUNDS = 5  # of the timed forward passes


@dataclass
class Arm:
    """A way to train, and what it came to."""

    name: str
    trainer: Trainer
    seconds: float = 0.0

    def turn(self, steps: int) -> None:
        before = time.process_time()
        for _ in range(steps):
            self.trainer.step()
        self.seconds += time.process_time() - before

    def spend(self) -> float:
        """Of attention while it learnt, or now where spans are learned."""
        job, spec = self.trainer.job, self.trainer.spec
        if spans(job.model):
            return float(span_spend(job.model).detach())
        return 1.0 if spec.budget is None else growth_to(spec.budget, job.spec.model.context).spend(job.spec.model.context)


def lm(context: int, train: TrainSpec, data: str) -> RunSpec:
    model = DecoderSpec(context=context, width=128, layers=4, heads=4)
    return RunSpec(data=DataSpec(data, tokenizer="byte"), model=model, train=replace(train, order="shuffled"))


def imdb(context: int, train: TrainSpec) -> RunSpec:
    model = EncoderSpec(context=context, width=128, layers=4, heads=4, mlp="swiglu", norm="rms", bias=False, dropout=0.0)
    return RunSpec(
        task="classify", data=DataSpec("imdb", tokenizer="byte", lowercase=True), model=model, train=replace(train, order="shuffled")
    )


def arms(base: RunSpec, budgets: Sequence[float], span: float) -> list[Arm]:
    """The plain job, and one for each budget, and one with learned spans."""
    fewer = replace(base.train, steps=max(1, round(0.75 * (base.train.steps or 0))))
    specs = {"plain": base, "plain, three quarters of the steps": replace(base, train=fewer)}
    for budget in budgets:
        specs[f"windows that grow, budget {budget:g}"] = replace(base, train=replace(base.train, budget=budget))
    spanned = replace(base.model, attention=AttentionSpec(span=SpanSpec(start=span)))  # type: ignore[call-arg]
    specs["learned spans, budget 0.5"] = replace(base, model=spanned, train=replace(base.train, budget=0.5))
    return [Arm(name, Trainer(job_of(spec))) for name, spec in specs.items()]


def job_of(spec: RunSpec) -> Job:
    return labelled(spec).job if spec.task == "classify" else prepared(spec)


def run(found: Sequence[Arm], steps: int) -> None:
    for done in range(0, steps, STEPS):
        for arm in found:
            arm.turn(min(STEPS, max(0, arm.trainer.total - done)))
        if done % 50 == 0:
            print(done, *(f"{arm.seconds:.0f}" for arm in found), flush=True)


@torch.no_grad()
def forward(found: Sequence[Arm]) -> dict[str, float]:
    """Milliseconds of one batch in evaluation, the least of some rounds in turns."""
    for arm in found:
        arm.trainer.model.eval()
    batch = moved(next(iter(found[0].trainer.job.fed.judged(found[0].trainer.spec))), "cpu")
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for arm in found:
            before = time.perf_counter()
            arm.trainer.job.objective(arm.trainer.model, batch, None)
            best[arm.name] = min(best.get(arm.name, 1e9), 1e3 * (time.perf_counter() - before))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("lm", "imdb"), default="lm")
    parser.add_argument("--data", default="python-reference")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--budgets", type=float, nargs="*", default=[0.5, 0.3])
    parser.add_argument("--span", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train = TrainSpec(
        steps=given.steps, batch=given.batch, optimiser="muon", warmup=20, floor=0.05, seed=given.seed, eval_batch=given.batch
    )
    base = imdb(given.context, train) if given.task == "imdb" else lm(given.context, train, given.data)
    found = arms(base, given.budgets, given.span)
    run(found, given.steps)
    milliseconds, plain = forward(found), found[0].seconds
    print(f"{'arm':34} {'seconds':>8} {'of plain':>8} {'loss':>8} {'accuracy':>8} {'forward ms':>10} {'spend':>6}")
    for arm in found:
        score = arm.trainer.judge()
        row = f"{arm.seconds:8.1f} {arm.seconds / plain:8.2f} {score.nats / score.tokens:8.4f} {score.correct / score.tokens:8.2%}"
        print(f"{arm.name:34} {row} {milliseconds[arm.name]:10.1f} {arm.spend():6.2f}", flush=True)


if __name__ == "__main__":
    main()
