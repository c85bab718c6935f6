"""Which classifier is better on the same texts: two runs whose seeds `heedful evaluate RUN --seeds N` has trained, paired text by text.

    heedful train classify --config imdb-lstm-cnn --out runs/plain && heedful evaluate runs/plain --seeds 5
    heedful train classify --config imdb-lstm-cnn-se --out runs/se && heedful evaluate runs/se --seeds 5
    python benchmarks/classifiers.py runs/se runs/plain

The interval is of the paired bootstrap over texts; beside it stands the mean difference of the seeds and its standard error, which is what
another training would change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heedful.tasks.classify.trial import Answers
from heedful.tasks.classify.trials import interval


def answers(run: Path) -> dict[str, Answers]:
    """What each training of a run answered, by its name; trainings whose texts are only some of the set's are left out."""
    found: dict[str, Answers] = {}
    for path in sorted((run / "trials").glob("seed-*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = Answers(tuple(kept["truth"]), tuple(kept["found"]), kept["seconds"])
    if not found:
        raise SystemExit(f"{run}: no trainings remembered: heedful evaluate {run} --seeds 5 writes them")
    return found


def compared(ours: Sequence[Answers], theirs: Sequence[Answers]) -> str:
    """The table of two runs whose trainings answer the same texts, in order."""
    rights = [np.array([one.right() for one in each]) for each in (ours, theirs)]
    gained = rights[0].mean(0) - rights[1].mean(0)
    low, high = interval(gained)
    seeds = [right.mean(1) for right in rights]
    count = min(map(len, seeds))
    pairs = seeds[0][:count] - seeds[1][:count]
    error = float(np.std(pairs, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")
    lines = ["| run | mean accuracy | seeds | seconds a training |", "|---|---|---|---|"]
    for name, each, means in zip("ab", (ours, theirs), seeds, strict=True):
        lines.append(f"| {name} | {means.mean():.2%} | {len(means)} | {np.mean([one.seconds for one in each]):.0f} |")
    said = f"a - b: {gained.mean() * 100:+.2f} points, 95% interval over texts {low * 100:+.2f} to {high * 100:+.2f}"
    return "\n".join([*lines, "", f"{said}; over {count} pairs of seeds a standard error of {error * 100:.2f}"])


def main() -> None:
    """Compare two runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    given = parser.parse_args()
    ours, theirs = answers(given.a), answers(given.b)
    names = sorted(ours.keys() & theirs.keys())
    if not names:
        raise SystemExit("the two runs have no trainings of the same seeds and texts")
    print(compared([ours[name] for name in names], [theirs[name] for name in names]))


if __name__ == "__main__":
    main()
