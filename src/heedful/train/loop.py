"""The training loop: step, log, validate, save, and go on exactly where a killed run stood."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.batches import Share
from heedful.errors import HeedfulError
from heedful.train import average, chance
from heedful.train.budgeted.budgeted import budgeted
from heedful.train.clip import clip
from heedful.train.feed import Source
from heedful.train.history import History
from heedful.train.interrupt import Interrupted, Stop, stoppable
from heedful.train.job import Job, Result, Standing
from heedful.train.metrics import Tally, moved, tally
from heedful.train.objective import Carry
from heedful.train.optimise import optimisers, set_rates
from heedful.train.progress import Report, Silent
from heedful.train.resume import load_last, restart, save_best, save_last
from heedful.train.run import Run
from heedful.train.track import accelerator_for, alone

if TYPE_CHECKING:
    from accelerate import Accelerator


class Trainer:
    """Trains the model of a job in place, and keeps a run's folder if it is given one.

    One process, or as many as `accelerate launch` or `torchrun` started: each takes its share of every batch, and only
    the first writes. The loss is read from the device once every `log_every` steps, not every step.

    >>> Trainer(job, Run.create(path, job.spec, job.tokenizer), Bar()).fit()  # doctest: +SKIP
    Result(steps=2000, best=1.61, best_step=2000, seconds=52.1, stalled=False)
    """

    def __init__(self, job: Job, run: Run | None = None, report: Report | None = None, resume: bool = False) -> None:
        self.job, self.around = budgeted(job)
        self.run, self.spec = run, job.spec.train
        if self.spec.threads:
            torch.set_num_threads(self.spec.threads)
        self.accelerator = accelerator_for(job.spec, run)
        self.main = self.accelerator.is_main_process
        self.report: Report = report if report and self.main else Silent()
        self.history = History(run.history_path if run and self.main else None)
        self.standing = Standing()
        self.batches = self.source()
        self.total = self.spec.length(self.batches.batches_an_epoch / self.spec.accumulate)
        chance.seed_all(self.spec.seed + self.accelerator.process_index)
        self.carry: Carry = None
        saved = load_last(run, job) if run and resume else None
        self.model, *wrapped = self.accelerator.prepare(job.model, *optimisers(job.model, self.spec))
        # Accelerate's wrapper looks for packages on the disk at every step; only the scaling of fp16 needs it.
        self.optimisers = wrapped if self.accelerator.scaler else [each.optimizer for each in wrapped]
        self.parameters = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.running = torch.zeros((), device=self.accelerator.device)
        self.summed, self.elapsed = 0, 0.0
        restart(self, saved)
        self.since = time.perf_counter()

    def source(self) -> Source:
        """The training batches, in the order the spec asks for."""
        return self.job.fed.source(self.spec, Share(self.accelerator.process_index, self.accelerator.num_processes))

    def fit(self) -> Result:
        """Train to the end, or until the validation loss stalls; `Interrupted` on Ctrl-C, once the run is saved."""
        try:
            with self.report, stoppable() as stop:
                self.report.begin(self.standing.step, self.total)
                self.since = time.perf_counter() - self.elapsed
                while not self.finished:
                    self.step()
                    self.after(stop)
        finally:
            self.accelerator.end_training()
            self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)  # the model's own precision again
        at = self.standing
        return Result(at.step, at.best, at.best_step, at.seconds, self.stalled, self.history)

    @property
    def stalled(self) -> bool:
        """Whether `patience` evaluations have passed without a better loss."""
        return self.spec.patience is not None and self.standing.stale >= self.spec.patience

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.standing.step >= self.total or self.stalled

    def step(self) -> None:
        """One optimiser step over `accumulate` batches; gradients of all processes meet in the last."""
        set_rates(self.optimisers, self.spec, self.standing.step, self.total)
        parts = self.spec.accumulate
        with self.around(self.standing.step, self.total):
            for part in range(parts):
                with nullcontext() if part == parts - 1 else self.accelerator.no_sync(self.model):
                    self.learn(parts)
        if self.spec.clip is not None:
            clip(self.accelerator, self.optimisers, self.parameters, self.spec.clip)
        for optimiser in self.optimisers:
            optimiser.step()
        for weight in self.parameters:
            weight.grad = None
        self.standing.step += 1
        self.summed += 1

    def learn(self, parts: int) -> None:
        """The gradient of one batch, of as many as `parts` a step."""
        batch = moved(self.batches.draw(), self.accelerator.device)
        outcome = self.job.objective(self.model, batch, self.carry)
        loss = outcome.loss if parts == 1 else outcome.loss / parts
        backward(self.accelerator, loss)
        self.carry = outcome.carry
        self.running += loss.detach()

    def after(self, stop: Stop) -> None:
        """Whatever is due at this step, in an order that leaves checkpoints whole."""
        step, last = self.standing.step, self.standing.step >= self.total
        if last or step % self.spec.log_every == 0:
            self.log()
        if last or step % self.spec.eval_every == 0:
            self.validate()
        stopping = self.stopping(stop)
        if last or stopping or self.stalled or step % self.spec.checkpoint_every == 0:
            save_last(self)
        if stopping and not self.finished:
            raise Interrupted(self.farewell())

    def log(self) -> None:
        """The mean loss since the last time, and the pace, to history, tracker and terminal."""
        loss = self.accelerator.reduce(self.running, reduction="mean").item() / self.summed
        now = time.perf_counter()
        self.standing.seconds += now - self.since
        tokens = self.summed * self.spec.accumulate * self.batches.tokens_a_batch
        pace, self.since = tokens / max(now - self.since, 1e-9), now
        self.running.zero_()
        self.summed = 0
        step, rate = self.standing.step, self.optimisers[-1].param_groups[0]["lr"]
        if not math.isfinite(loss):
            raise HeedfulError(f"the loss is {loss} at step {step}: a lower train.learning_rate, more warmup or a smaller clip would help")
        self.history.add(
            {"step": step, "loss": loss, "rate": rate, "tokens_per_second": round(pace), "seconds": round(self.standing.seconds, 3)}
        )
        self.accelerator.log({"train/loss": loss, "train/rate": rate, "train/tokens_per_second": pace}, step=step)
        self.report.trained(step, loss, pace)

    def validate(self) -> None:
        """The loss over the whole validation part; the best model is kept."""
        started = time.perf_counter()
        found = self.judge()
        loss, at = found.nats / found.tokens, self.standing
        judged = loss if self.job.judge == "loss" else 1.0 - found.correct / found.tokens
        better = judged < at.best
        at.stale = 0 if better else at.stale + 1
        if better:
            at.best, at.best_step = judged, at.step
            save_best(self, loss)
        if self.spec.average:
            average.keep(self)
        self.history.add({"step": at.step, "validation": loss, "accuracy": found.correct / found.tokens})
        self.accelerator.log({"validation/loss": loss, "validation/accuracy": found.correct / found.tokens}, step=at.step)
        self.report.validated(at.step, loss, better)
        self.since += time.perf_counter() - started

    def judge(self) -> Tally:
        """Sums over the validation part; processes share its batches unless a stream must be read in one piece."""
        carry = self.spec.order == "stream"
        batches: Iterable[Any] = self.job.fed.judged(self.spec)
        alone = carry or self.accelerator.num_processes == 1
        if not alone:
            batches = islice(batches, self.accelerator.process_index, None, self.accelerator.num_processes)
        found = tally(self.accelerator.unwrap_model(self.model), batches, self.accelerator.device, self.job.objective)
        if alone:
            return found
        sums = self.accelerator.reduce(torch.tensor(found, dtype=torch.float64, device=self.accelerator.device), reduction="sum")
        nats, tokens, correct = sums.tolist()
        return Tally(nats, int(tokens), correct)

    def stopping(self, stop: Stop) -> bool:
        """Whether a signal asked to stop; several processes agree on it when they log."""
        if self.accelerator.num_processes == 1:
            return stop.asked
        if self.standing.step % self.spec.log_every:
            return False
        if stop.asked:
            self.accelerator.set_trigger()
        return bool(self.accelerator.check_trigger())

    def farewell(self) -> str:
        """What to say when stopped."""
        where = f"stopped at step {self.standing.step:,} of {self.total:,}"
        if self.run is None:
            return f"{where}; nothing was kept, since the run has no folder"
        return f"{where}; the run is saved: heedful train {self.job.spec.task} --out {self.run.path} --resume goes on"


def backward(accelerator: Accelerator, loss: Float[Tensor, ""]) -> None:
    """Accelerate's backward where it scales or spreads the loss; alone it would only divide by one, forward and backward."""
    if alone(accelerator):
        loss.backward()  # type: ignore[no-untyped-call]
    else:
        accelerator.backward(loss)
