"""The six moves of the source articles side by side on IMDB: accuracy, operations and milliseconds, mean of some seeds.

    python benchmarks/six_moves.py --out moves.json      # $HEEDFUL_DATA must hold imdb; about an hour on one core

compress: squeeze-and-excitation (SE) and positional weighting (LPW) on each block's stream. adjust: self-attention itself, and
layer-wise adaptive attention (LAA) under half the budget. optimise: the scaled product, and several heads. Each is one change to the row
it names; all are encoders of the same width, depth and data, from the same seeds. Arms take turns by seed, so that an early end leaves
whole rounds. What was measured is kept in --out after every training, and a second call goes on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from heedful import atomic
from heedful.data.labelled.batches import batch_of, every
from heedful.data.labelled.feed import TextFeed
from heedful.data.labelled.rows import Rows, rows_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import Texts
from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.models.classifiers import build_classifier
from heedful.spec import AttentionSpec, ClassifierSpec, DataSpec, EncoderSpec, MechanismSpec, RunSpec, TextCNNSpec, TrainSpec
from heedful.tasks.classify.preparing import cost_of
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.objective import class_of

ROUNDS = 7  # of the timed forward pass
BATCH = 32

PLAIN = EncoderSpec(context=192, width=64, layers=2, heads=1, dropout=0.1, attention=AttentionSpec(score=MechanismSpec("dot")))
SCALED = replace(PLAIN, attention=AttentionSpec())
HEADS = replace(SCALED, heads=4)
TRAIN = TrainSpec(batch=BATCH, order="shuffled", learning_rate=2e-3, warmup=50, floor=0.05, weight_decay=0.05, price=0.3)
WORDS = TextCNNSpec(context=192, embedding=64, filters=128, widths=(1,), dropout=0.1)
# name: (what it changes, the model, the budget it learns under)
MOVES: dict[str, tuple[str, ClassifierSpec, float | None]] = {
    "no attention": ("words alone, the largest of each filter", WORDS, None),
    "self-attention (adjust)": ("one head, plain dot product", PLAIN, None),
    "scaled dot (optimise)": ("self-attention, scores / sqrt(d)", SCALED, None),
    "multi-head (optimise)": ("scaled dot, 4 heads", HEADS, None),
    "SE (compress)": ("multi-head, SE on each block", replace(HEADS, gate=MechanismSpec("se", {"reduction": 8})), None),
    "LPW (compress)": ("multi-head, LPW on each block", replace(HEADS, gate=MechanismSpec("lpw")), None),
    "LAA (adjust)": ("multi-head, LAA on each block, mean spend under 1/2", replace(HEADS, gate=MechanismSpec("laa")), 0.45),
}


def data(texts: int, seed: int = 0) -> tuple[Tokenizer, dict[str, Rows], tuple[str, ...]]:
    """Some reviews of each part, drawn once for all arms, as lower-cased words."""
    corpus = load_labelled(DataSpec("imdb", tokenizer="word", lowercase=True))
    generator = torch.Generator().manual_seed(seed)

    def some(part: Texts, count: int) -> Texts:
        return part.picked(torch.randperm(len(part), generator=generator)[:count].tolist())

    parts = {
        "train": some(corpus.part("train"), texts),
        "validation": some(corpus.part("validation"), 100),
        "test": some(corpus.part("test"), texts),
    }
    tokenizer = train_tokenizer("word", ["\n".join(parts["train"].texts)], 10_000)
    return tokenizer, {name: rows_of(part, corpus.labels, tokenizer, PLAIN.context) for name, part in parts.items()}, corpus.labels


def measured(name: str, seed: int, epochs: float, tokenizer: Tokenizer, rows: dict[str, Rows], labels: tuple[str, ...]) -> dict[str, Any]:
    """One arm trained from one seed."""
    _, model, budget = MOVES[name]
    model = replace(model, vocabulary=tokenizer.size, labels=labels)
    train = replace(TRAIN, epochs=epochs, seed=seed, budget=budget)
    spec = RunSpec(task="classify", data=DataSpec("imdb", tokenizer="word"), model=model, train=train)
    torch.manual_seed(seed)
    job = Job(
        build_classifier(model), spec, tokenizer, objective=class_of, feed=TextFeed(rows["train"], rows["validation"]), judge="errors"
    )
    trainer, before = Trainer(job), time.process_time()
    for _ in range(trainer.total):
        trainer.step()
    seconds = time.process_time() - before
    job.model.eval()
    return {
        "name": name, "seed": seed, "seconds": seconds, "accuracy": accuracy(job, rows["test"]), "operations": cost_of(job).operations,
        "core": cost_of(job).core, "parameters": cost_of(job).parameters, "milliseconds": milliseconds(job, rows["test"]),
    }  # fmt: skip


@torch.inference_mode()
def accuracy(job: Job, rows: Rows) -> float:
    right = sum(int((job.model(b.ids, lengths=b.lengths).logits.argmax(1) == b.labels).sum()) for _, b in every(rows, 64))
    return right / len(rows)


@torch.inference_mode()
def milliseconds(job: Job, rows: Rows) -> float:
    """Of the process, for one batch of the longest reviews."""
    batch, best = batch_of(rows, rows.lengths.argsort()[-BATCH:]), 1e9
    for _ in range(ROUNDS):
        before = time.process_time()
        job.model(batch.ids, lengths=batch.lengths)
        best = min(best, 1e3 * (time.process_time() - before))
    return best


def table(found: list[dict[str, Any]], texts: int) -> str:
    """A row a move: mean and standard deviation over seeds."""
    head = ("move", "what it is", f"accuracy on {texts:,} test reviews", "parameters", "operations", f"ms a batch of {BATCH}", "seconds")
    lines = [row_of(head), row_of(["---"] * len(head))]
    for name, (what, _, _) in MOVES.items():
        mine = [row for row in found if row["name"] == name]
        if mine:
            lines.append(row_of((name, what, *told(mine))))
    return "\n".join(lines)


def told(mine: list[dict[str, Any]]) -> tuple[str, ...]:
    """The cells of one move."""
    scores = [100 * row["accuracy"] for row in mine]
    spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
    return (
        f"{statistics.mean(scores):.2f}{spread} ({len(scores)})",
        f"{mine[0]['parameters'] / 1e3:,.0f} k",
        f"{mine[0]['operations'] / 1e6:,.1f} M",
        f"{min(row['milliseconds'] for row in mine):.1f}",
        f"{statistics.mean(row['seconds'] for row in mine):.0f}",
    )


def row_of(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=8000)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("six_moves.json"))
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found: list[dict[str, Any]] = json.loads(given.out.read_text()) if given.out.is_file() else []
    tokenizer, rows, labels = data(given.texts)
    for seed in range(given.seeds):
        for name in MOVES:
            if any((row["name"], row["seed"]) == (name, seed) for row in found):
                continue
            found.append(measured(name, seed, given.epochs, tokenizer, rows, labels))
            atomic.write(given.out, json.dumps(found, indent=1) + "\n")
            print(seed, name, f"{found[-1]['accuracy']:.2%} {found[-1]['seconds']:.0f} s", flush=True)
    print(table(found, given.texts))


if __name__ == "__main__":
    main()
