"""How well a profile's estimates rank what options really lose, on a trained model: each against exact ablation.

    python benchmarks/estimators.py RUN --data python-reference                 # 96 pairs of head and option, in a pass
    python benchmarks/estimators.py RUN --phase decode --pairs 60 --texts 4     # what caches keep

The profile is made on one part of the text, the truth (the KL of the model with that one option from the whole model, in nats
a token) on another. Spearman's rank correlation over the pairs; `sum` is the estimates' sum over the truth's, for those in nats.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch

import heedful
from heedful.manage.estimators.exact import joint, scored
from heedful.manage.estimators.table import ESTIMATORS
from heedful.manage.profile import Profile
from heedful.manage.sweep import split
from heedful.tasks.opened import Opened, opened

Pair = tuple[int, int]  # row of a head, column of an option


def drawn(profile: Profile, number: int) -> list[Pair]:
    """Pairs of a head and an option other than full, drawn alike each time."""
    pairs = [
        (row, column) for row in range(len(profile.heads)) for column in range(1, len(profile.options)) if profile.offered[row, column]
    ]
    order = np.random.default_rng(0).permutation(len(pairs))
    return [pairs[index] for index in order[:number]]


def truth(found: Opened, profile: Profile, pairs: list[Pair], texts: int) -> np.ndarray:
    """The exact KL of each pair."""
    batches = list(found.parts.select)[:texts]
    prefill = None if profile.phase == "prefill" else split(profile.length, None)
    whole = [scored(found.model, batch, {}, None, prefill) for batch in batches]
    one = [{profile.heads[row]: profile.parsed[column]} for row, column in pairs]
    return np.array([joint(found.model, batches, assignment, whole, None, prefill)[0] for assignment in one])


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of ranks."""
    ranks = [each.argsort().argsort() for each in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def rows(profile: Profile, pairs: list[Pair], kl: np.ndarray) -> Iterator[str]:
    """A line an estimator."""
    yield f"{'estimator':14} {'Spearman':>8} {'sum':>6}"
    for each in ESTIMATORS:
        guess = np.array([profile.losses[each.name][pair] for pair in pairs])
        ratio = f"{guess.sum() / kl.sum():6.2f}" if each.name == "fisher" else "     -"
        yield f"{each.name:14} {spearman(guess, kl):8.3f} {ratio}"


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--data")
    parser.add_argument("--length", type=int)
    parser.add_argument("--phase", choices=("prefill", "decode"), default="prefill")
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=96)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    found = opened(asked.run, asked.data, asked.length, limit=asked.texts)
    began = time.perf_counter()
    profile = heedful.profile(found.model, found.parts.calibrate, phase=asked.phase, name=found.name)
    took = time.perf_counter() - began
    pairs = drawn(profile, asked.pairs)
    began = time.perf_counter()
    kl = truth(found, profile, pairs, asked.texts)
    print(f"{found.name}: {found.sizes()}; profile {took:.1f} s, {len(pairs)} exact pairs {time.perf_counter() - began:.1f} s")
    print("\n".join(rows(profile, pairs, kl)))


if __name__ == "__main__":
    main()
