"""Training on pictures: our trainer beside the same network in a bare loop of torch, in the same process, round about.

    python benchmarks/images.py [--steps 30] [--rounds 3]

Both read the same batches of the same network and take the same AdamW steps in bfloat16. First the losses are compared, then the times:
the least of several rounds, as images a second and as a ratio. Prints FAILED and leaves with 1 where the losses differ.

Gates: `python benchmarks/images.py --gates --kept gates.json [--seeds 3]` trains the residual network on $HEEDFUL_DATA/fashion-mnist
under every gate. An arm (one gate, one seed: 2 epochs, or --epochs) takes about 4 minutes of a quiet core and is kept in the file as soon
as it is done: the same command goes on where it was stopped, and only prints once all 21 arms are there. --most 3 trains three arms and
stops. Prints the mean validation accuracy, its standard error, the difference to no gate over the same seeds, operations, and
milliseconds of reading and of learning a batch (the least of all seeds).

Few labels: `python benchmarks/images.py --few --kept few.json --filler runs/filler [--seeds 3]` trains a vision transformer on 1 and 10 %
of the labels, from nothing and from a run of `heedful train image --config filler`, in the same way.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from heedful import atomic
from heedful.cli.config import settled
from heedful.data.images.batches import ImageBatch, PictureFeed
from heedful.data.tokens.none import NoTokens
from heedful.models.vision.build import build_picture_classifier
from heedful.models.vision.picture_model import PictureModel
from heedful.spec import MechanismSpec, RunSpec, TrainSpec
from heedful.spec.images import ImageDataSpec
from heedful.spec.vision import ResidualSpec
from heedful.tasks.image.classes.preparing import cost_of, prepared
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.pictures import class_of_picture

BATCH = 64
GATES = ("none", "se", "eca", "cbam", "lpw", "laa", "attention_gate")
SHARES = {0.01: 100.0, 0.1: 20.0}  # of the labels, and how often they are gone through
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


def kept(path: Path) -> dict[str, dict[str, float]]:
    return json.loads(path.read_text()) if path.exists() else {}


def arms(path: Path, wanted: dict[str, list[str]], most: int | None, steps: int | None) -> dict[str, dict[str, float]]:
    """Every arm by its name, trained unless the file has it; each is written down as soon as it is done."""
    for name, words in wanted.items():
        found = kept(path)
        if name in found or most == 0:
            continue
        most = None if most is None else most - 1
        config, *words = words
        short = [] if steps is None else [f"train.steps={steps}", "train.epochs=null"]
        job = prepared(settled("image", config, [*words, *short, "train.threads=1"])).job
        cost, read = cost_of(job.model).operations, reading(job.model)
        result = Trainer(job).fit()
        found[name] = {
            "accuracy": 1.0 - result.best,
            "steps": result.steps,
            "seconds": result.seconds,
            "operations": cost,
            "milliseconds_read": read,
            "milliseconds_learnt": 1000 * result.seconds / max(1, result.steps),
        }
        atomic.write(path, json.dumps(found, indent=1))
        print(f"{name}: {found[name]['accuracy']:.2%} after {result.steps:,} steps in {result.seconds:,.0f} s", flush=True)
    found = kept(path)
    return {name: found[name] for name in wanted if name in found}


def reading(model: torch.nn.Module) -> float:
    """Milliseconds of one batch read, the least of ten."""
    assert isinstance(model, PictureModel)
    x = torch.rand(BATCH, model.channels, model.size, model.size)
    least = float("inf")
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for _ in range(10):
            started = time.perf_counter()
            model(x)
            least = min(least, time.perf_counter() - started)
    model.train()
    return 1000 * least


def mean(values: list[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    middle = sum(values) / len(values)
    spread = (sum((each - middle) ** 2 for each in values) / max(1, len(values) - 1)) ** 0.5
    return middle, spread / len(values) ** 0.5


def gates(given: argparse.Namespace) -> int:
    wanted = {
        f"{gate} {seed}": ["fashion", f"model.gate={gate}", f"train.epochs={given.epochs}", f"train.seed={seed}"]
        for seed in range(given.seeds)
        for gate in GATES
    }
    found = arms(given.kept, wanted, given.most, given.steps)
    print(f"{'gate':<16}{'seeds':>6}{'accuracy':>10}{'±':>7}{'to none':>9}{'±':>7}{'operations':>12}{'ms read':>9}{'ms learnt':>10}")
    for gate in GATES:
        rows = {seed: found[f"{gate} {seed}"] for seed in range(given.seeds) if f"{gate} {seed}" in found}
        if not rows:
            continue
        middle, error = mean([row["accuracy"] for row in rows.values()])
        beside = [row["accuracy"] - found[f"none {seed}"]["accuracy"] for seed, row in rows.items() if f"none {seed}" in found]
        apart, doubt = mean(beside) if beside else (float("nan"), float("nan"))
        read, learnt = (min(row[f"milliseconds_{what}"] for row in rows.values()) for what in ("read", "learnt"))
        operations = int(next(iter(rows.values()))["operations"])
        print(f"{gate:<16}{len(rows):6}{middle:10.2%}{error:7.2%}{apart:+9.2%}{doubt:7.2%}{operations:12,}{read:9.1f}{learnt:10.1f}")
    return left(wanted, found)


def few(given: argparse.Namespace) -> int:
    starts = {"from nothing": [], "from a filler": [f"train.start={given.filler}"]}
    wanted = {
        f"{share:g} {start} {seed}": ["vit", f"data.learnt={share:g}", f"train.epochs={epochs:g}", f"train.seed={seed}", *words]
        for share, epochs in SHARES.items()
        for start, words in starts.items()
        for seed in range(given.seeds)
    }
    found = arms(given.kept, wanted, given.most, given.steps)
    print(f"{'labels':<8}{'start':<16}{'seeds':>6}{'accuracy':>10}{'±':>7}")
    for share in SHARES:
        for start in starts:
            rows = [found[name]["accuracy"] for seed in range(given.seeds) if (name := f"{share:g} {start} {seed}") in found]
            if rows:
                middle, error = mean(rows)
                print(f"{share:<8.0%}{start:<16}{len(rows):6}{middle:10.2%}{error:7.2%}")
    return left(wanted, found)


def left(wanted: dict[str, list[str]], found: dict[str, dict[str, float]]) -> int:
    if len(found) < len(wanted):
        print(f"{len(wanted) - len(found)} of {len(wanted)} arms are left: the same command goes on")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="of the comparison with bare torch (30), or of an arm in place of its epochs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--filler", default="runs/filler")
    parser.add_argument("--kept", type=Path, default=Path("arms.json"))
    parser.add_argument("--most", type=int)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    return gates(given) if given.gates else few(given) if given.few else speed(given.steps or 30, given.rounds)


if __name__ == "__main__":
    sys.exit(main())
