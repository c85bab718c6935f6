"""The matcher's figures: one question against many entries, and the mean over StackFAQ's folds.

python benchmarks/matching.py latency RUN --entries 100000        one question at a time, against the run's index made larger
python benchmarks/matching.py folds RUN RUN ... --split test      the mean of several runs' scores, weighed by their questions
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from heedful.tasks.match.evaluation import evaluate
from heedful.tasks.match.index.approximate import approximate
from heedful.tasks.match.index.store import Entries
from heedful.tasks.match.loading import load_matcher
from heedful.tasks.match.matched import Matching, open_matching
from heedful.tasks.match.matching import known
from heedful.tasks.task import Measure


def enlarged(entries: Entries, count: int, alone: bool, seed: int = 0) -> Entries:
    """As many entries as asked for: those there are, and copies whose words are shuffled and whose vectors are noisy."""
    generator = np.random.default_rng(seed)
    places = generator.integers(0, len(entries), count)
    places[: len(entries)] = np.arange(len(entries))[:count]
    noise = generator.normal(0.0, 0.1, (count, entries.vectors.shape[1])).astype(np.float32)
    texts = tuple(" ".join(generator.permutation(entries.texts[i].split())) for i in places.tolist())
    labels = tuple(f"{i}" for i in range(count)) if alone else tuple(entries.labels[i] for i in places.tolist())
    return Entries(texts, labels, tuple(range(count)), entries.vectors[places] + noise)


def latency(run: Path, count: int, questions: int, graph: bool) -> None:
    """Milliseconds of one question, from its text to its classes: half of 100 timings are under the median, one in 20 over p95."""
    loaded = load_matcher(run)
    matching = open_matching(loaded)
    asked = loaded.questions().asked("validation").texts[: questions + 5]
    for alone in (False, True):
        entries = enlarged(matching.index.entries, count, alone)
        made = known(loaded, entries)
        if graph:
            made = replace(made, graph=approximate(Path(tempfile.mkdtemp()), entries))
        larger = Matching(loaded, made, matching.calibration)
        spent = []
        for text in asked:
            begun = time.perf_counter()
            larger.matched([text])
            spent.append(1e3 * (time.perf_counter() - begun))
        spent = sorted(spent[5:])
        p95 = spent[int(0.95 * len(spent))]
        print(
            f"{count:,} entries of {len(larger.index.names):,} classes: median {statistics.median(spent):.1f} ms, p95 {p95:.1f} ms, "
            f"least {spent[0]:.1f} ms ({len(spent)} questions)"
        )


def folds(runs: list[Path], split: str) -> None:
    """Every model's scores, the mean over all questions of all runs."""
    found = [evaluate(load_matcher(run), Measure(split=split)) for run in runs]  # type: ignore[arg-type]
    for name in found[0].rows:
        rows = [each.rows[name] for each in found]
        total = sum(row["questions"] for row in rows)
        mean = {key: sum(row[key] * row["questions"] for row in rows) / total for key in ("accuracy", "map", "recall@3", "recall@10")}
        print(f"{name:20} " + "  ".join(f"{key} {value:.4f}" for key, value in mean.items()) + f"  ({total:,} questions)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("latency", "folds"))
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--split", default="test")
    parser.add_argument("--usearch", action="store_true", help="search by a graph of neighbours")
    given = parser.parse_args()
    if given.what == "latency":
        latency(given.runs[0], given.entries, given.questions, given.usearch)
    else:
        folds(given.runs, given.split)


if __name__ == "__main__":
    main()
