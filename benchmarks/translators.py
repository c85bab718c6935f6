"""Which translator is better on the same texts: runs of two kinds, a seed each, paired seed by seed and text by text.

    for seed in 0 1 2; do
        heedful train translate --config multi30k-se --seed $seed --out runs/se-$seed
        heedful train translate --config multi30k-se --set model.gate=null --seed $seed --out runs/plain-$seed
    done
    python benchmarks/translators.py --ours runs/se-0 runs/se-1 runs/se-2 --theirs runs/plain-0 runs/plain-1 runs/plain-2 --split test

Each pair of seeds has its own paired bootstrap over the texts (Koehn 2004, by sacrebleu: 1,000 resamples); the difference of the means
stands with its standard error over the seeds, which is what another training would change.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest, Result

from heedful.spec.search import Search
from heedful.tasks.translate.evaluation import written
from heedful.tasks.translate.loading import load_seq2seq

RESAMPLES = 1_000


def texts_of(run: Path, part: str, search: Search) -> tuple[list[str], tuple[str, ...]]:
    """What a run writes for a part of its own data, and the references."""
    loaded = load_seq2seq(run)
    pairs = loaded.corpus(None).part(part)
    return written(loaded, pairs.sources, search), tuple(pairs.targets)


def paired(ours: Sequence[str], theirs: Sequence[str], references: Sequence[str]) -> tuple[Result, Result]:
    """Lower-cased BLEU of both on the same texts; theirs is what ours is tested against."""
    named = [("theirs", list(theirs)), ("ours", list(ours))]
    test = PairedTest(named, {"BLEU": BLEU(lowercase=True)}, [list(references)], test_type="bs", n_samples=RESAMPLES)
    found = next(scores for name, scores in test()[1].items() if name != "System")
    first, second = found
    assert isinstance(first, Result)
    assert isinstance(second, Result)
    return second, first


def table(ours: Sequence[Path], theirs: Sequence[Path], part: str, search: Search) -> str:
    """One line a pair of seeds, and what they come to."""
    lines = ["| ours | theirs | BLEU (95 %) | BLEU (95 %) | difference | p |", "|---|---|---|---|---|---|"]
    gains = []
    for a, b in zip(ours, theirs, strict=True):
        (mine, wanted), (other, same) = texts_of(a, part, search), texts_of(b, part, search)
        if wanted != same:
            raise SystemExit(f"{a} and {b} have different references: two runs on the same data would work")
        left, right = paired(mine, other, wanted)
        gains.append(left.score - right.score)
        spread = [f"{one.score:.2f} ± {one.ci or 0.0:.2f}" for one in (left, right)]
        lines.append(f"| {a.name} | {b.name} | {spread[0]} | {spread[1]} | {gains[-1]:+.2f} | {left.p_value or 0.0:.3f} |")
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("nan")
    return "\n".join(
        [*lines, "", f"ours - theirs: {np.mean(gains):+.2f} BLEU over {len(gains)} pairs of seeds, standard error {error:.2f}"]
    )


def main() -> None:
    """Compare the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, nargs="+", required=True)
    parser.add_argument("--theirs", type=Path, nargs="+", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--beams", type=int, default=5)
    given = parser.parse_args()
    if len(given.ours) != len(given.theirs):
        raise SystemExit(f"{len(given.ours)} and {len(given.theirs)} runs: as many of both, a seed each, would work")
    print(table(given.ours, given.theirs, given.split, Search(given.beams)))


if __name__ == "__main__":
    main()
