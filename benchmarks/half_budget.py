"""A classifier at half of its attention on one thread: accuracy on the test part and milliseconds, dense and planned.

    heedful train classify --config imdb --out runs/imdb     # BERT-Mini's size: 4 layers, 256 wide, 4 heads; $HEEDFUL_DATA must hold imdb
    python benchmarks/half_budget.py runs/imdb

Two plans at half of the operations of the attention core: whole heads kept or dropped with their projections (what Budgeted Attention
Allocation prunes, arXiv 2605.05697, published: 1.20 x on one thread), and the ladder of windows besides. They are made from validation
texts alone. The outputs of an applied plan are checked against its simulation before anything is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import heedful
from heedful.data.labelled.batches import batch_of, every
from heedful.data.labelled.rows import Rows
from heedful.manage.options.table import parse
from heedful.manage.simulate import simulated
from heedful.models.classifier import Classifier
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier

LADDERS: dict[str, list[str] | None] = {"heads kept or dropped": ["full", "drop"], "windows and drops": None}
ROUNDS = 15


class Texts:
    """Batches of some texts near in length, as often as they are asked for."""

    def __init__(self, rows: Rows, places: Tensor, batch: int) -> None:
        self.rows, self.batch = rows, batch
        self.places = places[rows.lengths[places].argsort()]

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for places in torch.split(self.places, self.batch):
            found = batch_of(self.rows, places)
            yield {"ids": found.ids, "lengths": found.lengths, "labels": found.labels}


@torch.inference_mode()
def right(model: Classifier, rows: Rows) -> Tensor:
    """Whether each text's class was found."""
    found = torch.zeros(len(rows))
    for places, batch in every(rows, 32):
        found[places] = (model(batch.ids, lengths=batch.lengths).logits.argmax(1) == batch.labels).float()
    return found


def interval(difference: Tensor, draws: int = 2000) -> tuple[float, float]:
    """The 95% bootstrap interval of the mean of paired differences, in points."""
    generator = torch.Generator().manual_seed(0)
    means = torch.stack([difference[torch.randint(len(difference), (len(difference),), generator=generator)].mean() for _ in range(draws)])
    low, high = means.quantile(torch.tensor([0.025, 0.975])).tolist()
    return 100 * low, 100 * high


@torch.inference_mode()
def timed(dense: Classifier, planned: Classifier, batch: dict[str, Tensor]) -> tuple[float, float]:
    """Milliseconds of the process for a batch, the least of some rounds in turns."""
    best = [1e9, 1e9]
    for _ in range(ROUNDS):
        for i, model in enumerate((dense, planned)):
            before = time.process_time()
            model(batch["ids"], lengths=batch["lengths"])
            best[i] = min(best[i], 1e3 * (time.process_time() - before))
    return best[0], best[1]


def drawn(loaded: LoadedClassifier, part: str, count: int) -> Rows:
    """Some texts of a part, the same each time."""
    texts = loaded.corpus().part(part)
    places = torch.randperm(len(texts), generator=torch.Generator().manual_seed(0))[:count]
    return loaded.rows(texts.picked(places.tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--budget", type=float, default=0.5)
    parser.add_argument("--calibrate", type=int, default=128)
    parser.add_argument("--test", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    loaded, other = load_classifier(given.run), load_classifier(given.run)
    context = loaded.model.context
    validation, test = drawn(loaded, "validation", 2500), drawn(loaded, "test", given.test)
    long = {size: next(iter(Texts(test, test.lengths.argsort()[-size:], size))) for size in (1, 8)}
    dense = right(loaded.model, test)
    print(f"dense: {dense.mean():.2%} of {len(test):,} test texts", flush=True)
    texts = Texts(validation, torch.arange(given.calibrate), 8)
    for name, options in LADDERS.items():
        before = time.process_time()
        profile = heedful.profile(loaded.model, texts, options=options, length=context)
        plan = heedful.plan(profile, heedful.Budget(operations=given.budget, length=context), model=loaded.model, batches=texts)
        seconds = time.process_time() - before
        choices = {(site, head): parse(option) for site, row in enumerate(plan.choices) for head, option in enumerate(row)}
        with heedful.applied(other.model, plan):
            with simulated(loaded.model, choices), torch.inference_mode():
                wanted = loaded.model(long[8]["ids"], lengths=long[8]["lengths"]).logits
                found = other.model(long[8]["ids"], lengths=long[8]["lengths"]).logits
            torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)
            scores = right(other.model, test)
            low, high = interval(scores - dense)
            print(f"{name}: planned in {seconds:.0f} s: {plan.choices}")
            print(f"  {scores.mean():.2%}, {100 * float((scores - dense).mean()):+.2f} points (95%: {low:+.2f} to {high:+.2f})")
            for size, batch in long.items():
                one, two = timed(loaded.model, other.model, batch)
                print(f"  {size} x {batch['ids'].shape[1]} tokens: dense {one:.1f} ms, planned {two:.1f} ms: {one / two:.2f} x", flush=True)


if __name__ == "__main__":
    main()
