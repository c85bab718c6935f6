"""How likely each item was to be in the final edition, by drawing editions again (Monte Carlo through the allocator).

The edition that was shown is itself such a draw, so it is counted with the others: with B of T further draws that hold an item,
(B + 1) / (T + 1) is its propensity, never 0 for what was shown, and 1/propensity is then on average (1 - (1 - p)^(T + 1)) / p:
the weights of inverse propensity scoring are right but for p < 1/T.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from jaxtyping import Float

from heedful.diet.edition.greedy import choose, placed
from heedful.diet.edition.ledger import Ledger
from heedful.diet.edition.menu import Candidate, Diet, checked
from heedful.errors import UsageError

Draws = Callable[[np.random.Generator], Float[np.ndarray, " n"]]


def propensities(
    draws: Draws, candidates: Sequence[Candidate], diet: Diet, times: int = 200, seed: int = 0, shown: Collection[str] | None = None
) -> Float[np.ndarray, " n"]:
    """The share of editions that hold each candidate, over `times` draws of the values.

    >>> read = [Candidate("a", 5.0, 0.0), Candidate("b", 5.0, 0.0)]
    >>> propensities(lambda rng: np.array([9.0, 1.0]), read, Diet(minutes=5.0), times=20).tolist()
    [1.0, 0.0]

    Arguments:
        draws: gives the values of the candidates, (n,), as the policy would draw them once more; the candidates' own are not read.
        candidates: n items.
        diet: what the editions are held to.
        times: how many editions are made; the standard error of a share is below 0.5 / sqrt(times).
        shown: the keys of the edition that was shown, which then counts as one more draw: what a log must hold.

    Raises `UsageError` for draws of another length, or no draws.
    """
    found = editions(draws, candidates, diet, times, seed)
    if shown is not None:
        found.append(tuple(i for i, one in enumerate(candidates) if one.key in shown))
    return inside(found, len(candidates))


def editions(draws: Draws, candidates: Sequence[Candidate], diet: Diet, times: int = 200, seed: int = 0) -> list[tuple[int, ...]]:
    """The editions of so many draws, each as the numbers of its candidates in the order in which they are read."""
    if times < 1:
        raise UsageError(f"{times} draws cannot say how likely anything is: one or more would work, 200 by default")
    rng, ledger = np.random.default_rng(seed), Ledger(diet, checked(candidates))
    found = []
    for _ in range(times):
        values = np.asarray(draws(rng), dtype=float)
        if values.shape != (len(candidates),):
            raise UsageError(f"{len(candidates)} candidates and values of shape {values.shape}: one value for each would work")
        ledger.clear()
        ledger.values = values.tolist()
        choose(ledger)
        found.append(tuple(placed(ledger)))
    return found


def inside(drawn: Sequence[Sequence[int]], candidates: int) -> Float[np.ndarray, " n"]:
    """The share of editions that hold each candidate.

    >>> inside([(0, 1), (1,)], 3).tolist()
    [0.5, 1.0, 0.0]
    """
    counts: Float[np.ndarray, " n"] = np.bincount([i for one in drawn for i in one], minlength=candidates) / len(drawn)
    return counts


def spread(shares: Float[np.ndarray, " n"], times: int) -> Float[np.ndarray, " n"]:
    """The standard error of shares that were counted over so many draws.

    >>> spread(np.array([0.5, 1.0]), times=100).tolist()
    [0.05, 0.0]
    """
    found: Float[np.ndarray, " n"] = np.sqrt(shares * (1 - shares) / times)
    return found
