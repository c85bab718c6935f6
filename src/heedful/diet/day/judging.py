"""Which model serves: the two are fitted to the first four fifths of what was said, and judged on the rest by log-loss.

Both scores become chances of "worth it" by the same logistic curve of two numbers (Platt 1999), fitted on the first four fifths too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float

from heedful.diet.day.attentive import Attentive, fitted, nearness
from heedful.diet.day.features import Asked
from heedful.diet.day.simple import Simple, Taste

FIRST: Final = 0.8  # of the reads, in time
HELD: Final = 30  # reads at least, that neither model has seen
CLEAR: Final = 0.1  # what a read was worth, above or below, to say that it was or was not


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Arguments:
        reads: of which something clear was said; `held` of them judged.
        simple, attention: log-loss in nats a read on those; None before there are enough.
        error: the standard error of their difference.
        serves: attention only where it was better by more than that.
        state: of the attention model, fitted to everything, where it serves.
    """

    reads: int
    held: int = 0
    simple: float | None = None
    attention: float | None = None
    error: float | None = None
    serves: str = "simple"
    state: dict[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def says(self) -> str:
        """In words."""
        if self.simple is None or self.attention is None or self.error is None:
            needed = round(HELD / (1 - FIRST))
            return f"The simple model serves: to try attention {needed} judged reads are needed, and {self.reads} are there."
        other = f"held-out log-loss {self.simple:.3f} simple, {self.attention:.3f} attention (± {self.error:.3f}), {self.held} reads"
        return f"The {self.serves} model serves: {other}."


def judged(taste: Taste) -> Verdict:
    """The verdict on a reader's past."""
    clear = taste.whole & (np.abs(taste.rewards) > CLEAR)
    places = np.flatnonzero(clear)
    held = places[int(FIRST * len(places)) :]
    if len(held) < HELD or len(set(np.sign(taste.rewards[places[: -len(held)]]))) < 2:
        return Verdict(len(places))
    first = np.arange(len(clear)) < held[0]
    told = Simple.fitted(taste, first).weights
    attentive = fitted(taste, first)
    truth = (taste.rewards > 0).astype(np.float64)
    scores = {"simple": taste.learnt @ told, "attention": past_scores(taste, attentive)}
    losses = {name: calibrated(score, truth, clear & first)[held] for name, score in scores.items()}
    gain = losses["simple"] - losses["attention"]
    error = float(gain.std(ddof=1) / len(gain) ** 0.5)
    better = bool(gain.mean() > error)
    state = fitted(taste, np.ones(len(clear), dtype=bool)).state() if better else None
    found = {name: float(loss.mean()) for name, loss in losses.items()}
    serves = "attention" if better else "simple"
    return Verdict(len(places), len(held), found["simple"], found["attention"], error, serves, state)


def past_scores(taste: Taste, model: Attentive) -> Float[np.ndarray, " n"]:
    """What the attention model said of each past read from those before it."""
    asked = Asked([past.piece for past in taste.pasts], np.array([past.at for past in taste.pasts]), taste.pasts, taste.between)
    read = model.read(nearness(asked), np.tri(len(taste.pasts), k=-1, dtype=bool))
    found: Float[np.ndarray, " n"] = taste.learnt @ model.weights + read @ taste.rewards
    return found


def calibrated(
    scores: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"], fit: Bool[np.ndarray, " n"], steps: int = 50
) -> Float[np.ndarray, " n"]:
    """(n,) the loss of each read in nats, scores made chances by the curve that fits the reads of `fit` best (Newton's method)."""
    x = np.stack([np.ones_like(scores), scores], axis=1)
    curve = np.zeros(2)
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(x[fit] @ curve, -30, 30)))
        slope = x[fit].T @ (chance - truth[fit]) + 0.01 * curve
        bend = (x[fit] * (chance * (1 - chance))[:, None]).T @ x[fit] + 0.01 * np.eye(2)
        curve = curve - np.linalg.solve(bend, slope)
    logit = np.clip(x @ curve, -30, 30)
    found: Float[np.ndarray, " n"] = np.logaddexp(0.0, logit) - truth * logit
    return found
