"""How the measures weigh, how sure that is, and when to turn a question away: all fitted to the validation questions.

The weights of the measures are those of a conditional logit over the classes (McFadden 1974); a question is turned away where a
logistic function of how sure, how near and how new it is falls under a threshold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, softplus

from heedful import atomic
from heedful.data.tokens.grams import Grams, folded_words
from heedful.errors import CheckpointError
from heedful.spec.check import SpecError
from heedful.spec.plain import build
from heedful.tasks.match.matching import MEASURES, Met

VERSION: Final = 1
LEXICAL: Final[tuple[float, ...]] = (0.0, 0.0, 1.0, 1.0, 0.0)  # where no question was asked to fit to
START: Final[tuple[float, ...]] = (0.1, 0.1, 1.0, 0.1, 0.1)  # lexical, so that the others only add to it
SIGNS: Final = ("log odds of the best", "measure of the best", "nearest entry", "words that are new")
STEPS: Final = 60


@dataclass(frozen=True)
class Calibration:
    """Weights of the measures by `MEASURES`; of the signs by `SIGNS`, their means and spreads; the threshold of being sure."""

    model: str
    weights: tuple[float, ...] = LEXICAL
    refusal: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
    means: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    spreads: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    threshold: float = -1e9
    version: int = VERSION

    def logits(self, met: Met) -> Float[np.ndarray, "n c"]:
        """The classes' scores; their softmax says how likely each is."""
        found = np.zeros(met.measures.shape[:2])
        for number, weight in enumerate(self.weights):  # a measure at a time: nothing is copied, and those that weigh nothing are not read
            if weight:
                found += weight * met.measures[..., number].astype(np.float64)
        return found

    def sureness(self, signs: Float[np.ndarray, "n s"]) -> Float[np.ndarray, " n"]:
        """How sure it is that a question belongs to a class at all: turned away under the threshold."""
        found: Float[np.ndarray, " n"] = (signs - np.array(self.means)) / np.array(self.spreads) @ np.array(self.refusal)
        return found

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        atomic.write(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read it; `CheckpointError` for a file that is damaged or newer."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["version"] > VERSION:
                raise CheckpointError(f"{path}: version {data['version']}, this Heedful reads up to {VERSION}: upgrade Heedful")
            return build(cls, data)
        except (OSError, ValueError, KeyError, TypeError, SpecError) as error:
            raise CheckpointError(f"{path}: cut short or damaged: {error!r}; without the file it is made anew") from None


def signs_of(met: Met, logits: Float[np.ndarray, "n c"], questions: Sequence[str], grams: Grams) -> Float[np.ndarray, "n s"]:
    """What tells questions of no class, by `SIGNS`."""
    best = logits.argmax(1)
    rows = np.arange(len(best))
    shifted = logits - logits.max(1, keepdims=True)
    share = 1.0 / np.exp(shifted).sum(1)
    odds = np.log(share) - np.log(np.maximum(1.0 - share, 1e-9))
    new = np.array([np.mean([float(not grams.known(word)) for word in folded_words(text)] or [1.0]) for text in questions])
    return np.stack([odds, logits[rows, best], met.nearest[rows, best], -new], axis=1)


def fitted(measures: Float[np.ndarray, "n c f"], truth: Int[np.ndarray, " n"], free: Sequence[bool]) -> tuple[float, ...]:
    """The weights under which the true classes are likeliest, none below 0; those that are not free are 0."""
    start = torch.tensor(START, dtype=torch.float64)
    raw = torch.log(torch.expm1(start)).requires_grad_()
    mask, given, right = torch.tensor(free).double(), torch.from_numpy(measures).double(), torch.from_numpy(truth)
    optimiser = torch.optim.LBFGS([raw], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        found = cross_entropy(given @ (softplus(raw) * mask), right) + 1e-3 * (raw * mask).square().mean()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return tuple(round(float(weight), 6) for weight in softplus(raw.detach()) * mask)


def refusing(
    signs: Float[np.ndarray, "n s"], outside: Bool[np.ndarray, " n"], refused: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], float]:
    """Weights of the signs (of the first alone where nothing is outside), means, spreads, and the threshold that turns away as many."""
    means, spreads = signs.mean(0), np.maximum(signs.std(0), 1e-6)
    scaled = (signs - means) / spreads
    weights = logistic(scaled, ~outside) if outside.any() else np.array([1.0] + [0.0] * (signs.shape[1] - 1))
    threshold = float(np.quantile((scaled @ weights)[~outside], refused))
    one, two, three = (tuple(round(float(value), 6) for value in row) for row in (weights, means, spreads))
    return one, two, three, round(threshold, 6)


def logistic(scaled: Float[np.ndarray, "n s"], inside: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " s"]:
    """A logistic regression whose sides weigh the same, with a small price on its weights."""
    weights = torch.zeros(scaled.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    given, target = torch.from_numpy(scaled).double(), torch.from_numpy(inside).double()
    balance = torch.where(target > 0, 0.5 / target.mean(), 0.5 / (1 - target).mean())
    optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        odds = given @ weights[:-1] + weights[-1]
        found = binary_cross_entropy_with_logits(odds, target, weight=balance) + 1e-3 * weights[:-1].square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    found: Float[np.ndarray, " s"] = weights.detach().numpy()[:-1].copy()
    return found


def free_measures(answers: bool, reranker: bool) -> tuple[bool, ...]:
    """Which measures there are."""
    return tuple(name not in ("answer", "reranker") or (answers if name == "answer" else reranker) for name in MEASURES)
