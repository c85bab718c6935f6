"""Training on pictures: our trainer beside the same network in a bare loop of torch, in the same process, round about.

    python benchmarks/images.py [--steps 30] [--rounds 3]

Both read the same batches of the same network and take the same AdamW steps in bfloat16. First the losses are compared, then the times:
the least of several rounds, as images a second and as a ratio. Prints FAILED and leaves with 1 where the losses differ.

Gates: `python benchmarks/images.py --gates [--epochs 2] [--seeds 3]` trains the residual network on $HEEDFUL_DATA/fashion-mnist under
every gate (an arm of 2 epochs takes about 4 minutes of a quiet core) and prints validation accuracy, operations and milliseconds a batch.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import torch
from torch.nn.functional import cross_entropy

from heedful.cli.config import settled
from heedful.data.images.batches import ImageBatch, PictureFeed
from heedful.data.tokens.none import NoTokens
from heedful.models.vision.build import build_picture_classifier
from heedful.spec import MechanismSpec, RunSpec, TrainSpec
from heedful.spec.images import ImageDataSpec
from heedful.spec.vision import ResidualSpec
from heedful.tasks.image.classes.preparing import cost_of, prepared
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.pictures import class_of_picture

BATCH = 64
GATES = ("none", "se", "eca", "cbam", "lpw", "laa", "attention_gate")
LABELS = tuple("abcdefghij")
TRAIN = TrainSpec(steps=10_000, batch=BATCH, order="shuffled", precision="bf16", warmup=0, schedule="constant", clip=None, threads=1)


def pictures() -> ImageBatch:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (40 * BATCH, 1, 28, 28), generator=generator).byte()
    return ImageBatch(pixels, torch.randint(0, 10, (len(pixels),), generator=generator))


def spec(model: ResidualSpec) -> RunSpec:
    return RunSpec(task="image", data=ImageDataSpec(), model=model, train=replace(TRAIN, log_every=10**9, eval_every=10**9))


def ours(model: ResidualSpec, batch: ImageBatch) -> Trainer:
    torch.manual_seed(0)
    job = Job(build_picture_classifier(model), spec(model), NoTokens(), objective=class_of_picture(ImageDataSpec().augment))
    return Trainer(replace(job, feed=PictureFeed(batch, batch)))


class Bare:
    """What one would write by hand."""

    def __init__(self, model: ResidualSpec, batch: ImageBatch, trainer: Trainer) -> None:
        torch.manual_seed(0)
        self.model = build_picture_classifier(model).train()
        decayed = [weight for weight in self.model.parameters() if weight.dim() >= 2]
        kept = [weight for weight in self.model.parameters() if weight.dim() < 2]
        groups = [{"params": decayed, "weight_decay": TRAIN.weight_decay}, {"params": kept, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=TRAIN.learning_rate, betas=TRAIN.betas, fused=True)
        self.batches = trainer.source()

    def step(self) -> torch.Tensor:
        batch = self.batches.draw()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(batch.pixels.float() / 255).logits
        loss = cross_entropy(logits.float(), batch.labels)
        loss.backward()
        self.optimiser.step()
        return loss.detach()


def speed(steps: int, rounds: int) -> int:
    model = ResidualSpec(labels=LABELS, size=28, channels=1, stem=24, widths=(64, 128, 128), gate=MechanismSpec("se"))
    batch = pictures()
    trainer = ours(model, batch)
    trainer.model.train()
    bare = Bare(model, batch, trainer)
    theirs = torch.stack([bare.step() for _ in range(5)])
    mine = []
    for _ in range(5):
        before = trainer.running.clone()
        trainer.step()
        mine.append(trainer.running - before)
    apart = float((torch.stack(mine) - theirs).abs().max() / theirs.abs().max())
    bound = 5 * 2**-8  # five steps, each rounded to bfloat16
    if apart > bound:
        print(f"FAILED: the losses of five steps are {apart:.2e} apart, more than {bound:.2e}")
        return 1
    least = {"ours": float("inf"), "bare torch": float("inf")}
    for _ in range(rounds):
        for name, step in (("ours", trainer.step), ("bare torch", bare.step)):
            started = time.perf_counter()
            for _ in range(steps):
                step()
            least[name] = min(least[name], time.perf_counter() - started)
    for name, seconds in least.items():
        print(f"{name:<12}{steps * BATCH / seconds:10,.0f} images/s{least['bare torch'] / seconds:8.3f} times bare torch")
    print(f"losses of five steps: {apart:.1e} apart (bound {bound:.1e})")
    return 0


def gates(epochs: float, seeds: int) -> int:
    print(f"{'gate':<16}{'accuracy':>9}{'±':>7}{'operations':>12}{'ms a batch':>12}")
    for gate in GATES:
        found, spent, cost = [], [], 0
        for seed in range(seeds):
            words = [f"model.gate={gate}", f"train.epochs={epochs}", f"train.seed={seed}", "train.threads=1"]
            job = prepared(settled("image", "fashion", words)).job
            cost = cost_of(job.model).operations
            trainer = Trainer(job)
            result = trainer.fit()
            found.append(1.0 - result.best)
            spent.append(1000 * result.seconds / result.steps)
        mean = sum(found) / seeds
        spread = (sum((each - mean) ** 2 for each in found) / max(1, seeds - 1)) ** 0.5
        print(f"{gate:<16}{mean:9.2%}{spread:7.2%}{cost:12,}{min(spent):12.1f}", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    return gates(given.epochs, given.seeds) if given.gates else speed(given.steps, given.rounds)


if __name__ == "__main__":
    sys.exit(main())
