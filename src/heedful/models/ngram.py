"""The baselines: how well the next token is guessed from how often it was seen, without any learning of meaning.

Interpolated Kneser-Ney: Kneser and Ney 1995; the form of Chen and Goodman 1999, equation 17, one discount an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from heedful.errors import DataError

Keys = Int64[np.ndarray, " n"]
Shares = Float64[np.ndarray, " n"]

UNSEEN: Final = 0.5  # the discount where no gram was seen only once, so that new words keep a share


@dataclass(frozen=True, slots=True)
class Order:
    """The grams of one length: sorted keys `context * vocabulary + word`, their counts, and sums over each context."""

    grams: Keys
    counts: Keys
    contexts: Keys
    totals: Keys
    kinds: Keys
    discount: float

    @classmethod
    def of(cls, grams: Keys, vocabulary: int) -> Order:
        """Count `grams`, one key for each time a gram was seen."""
        unique, counts = np.unique(grams, return_counts=True)
        contexts, first, kinds = np.unique(unique // vocabulary, return_index=True, return_counts=True)
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
        discount = once / (once + 2 * twice) if once else UNSEEN
        return cls(unique, counts, contexts, np.add.reduceat(counts, first), kinds, discount)

    def shares(self, context: Keys, word: Keys, vocabulary: int, lower: Shares) -> Shares:
        """p(word | context), the discounted mass going to the shorter context's `lower`; an unseen context leaves it all."""
        place, known = found(self.contexts, context)
        gram, seen = found(self.grams, context * vocabulary + word)
        count = np.where(seen, np.maximum(self.counts[gram] - self.discount, 0.0), 0.0)
        share = (count + self.discount * self.kinds[place] * lower) / self.totals[place]
        return np.where(known, share, lower)


@dataclass(frozen=True, slots=True)
class Ngram:
    """A model of `length` tokens at most: 1 is the unigram, 3 the trigram.

    >>> import numpy as np
    >>> model = Ngram.fit(np.array([0, 1, 0, 1, 0, 1, 2]), vocabulary=3, length=3)
    >>> len(model.orders), model.losses(np.array([0, 1, 0])).shape
    (3, (3,))
    """

    vocabulary: int
    orders: tuple[Order, ...]

    @classmethod
    def fit(cls, tokens: NDArray[np.int64], vocabulary: int, length: int) -> Ngram:
        """Count `tokens`; a shorter gram counts once for each different token that stood before it (its continuations)."""
        if len(tokens) < length:
            raise DataError(f"a model of {length} tokens needs at least {length} of them to count: found {len(tokens)}")
        grams = keys(tokens.astype(np.int64), vocabulary, length)
        orders = [Order.of(grams, vocabulary)]
        for shorter in range(length - 1, 0, -1):
            orders.append(Order.of(orders[-1].grams % vocabulary**shorter, vocabulary))
        return cls(vocabulary, tuple(reversed(orders)))

    def losses(self, tokens: NDArray[np.int64]) -> Shares:
        """Nats of every token given those before it; the first ones have shorter contexts."""
        tokens = tokens.astype(np.int64)
        share = np.full(len(tokens), 1.0 / self.vocabulary)
        for before, order in enumerate(self.orders):
            word = tokens[before:]
            context = keys(tokens[:-1], self.vocabulary, before) if before else np.zeros_like(word)
            share[before:] = order.shares(context[: len(word)], word, self.vocabulary, share[before:])
        return np.asarray(-np.log(share))


def keys(tokens: Keys, vocabulary: int, length: int) -> Keys:
    """Each run of `length` tokens as one number."""
    key = np.zeros(max(len(tokens) - length + 1, 0), dtype=np.int64)
    for i in range(length):
        key = key * vocabulary + tokens[i : len(tokens) - length + 1 + i]
    return key


def found(sorted_keys: Keys, wanted: Keys) -> tuple[Keys, NDArray[np.bool_]]:
    """Where each wanted key stands (somewhere valid if it is not there), and whether it is there."""
    place = np.searchsorted(sorted_keys, wanted).clip(max=len(sorted_keys) - 1)
    return place, sorted_keys[place] == wanted
