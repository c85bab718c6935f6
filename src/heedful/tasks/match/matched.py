"""A run's index, made where it is missing or of another model, and its calibration: what questions are matched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions, joined
from heedful.tasks.match.calibration import LEXICAL, Calibration, fitted, free_measures, refusing, signs_of
from heedful.tasks.match.index.store import Entries
from heedful.tasks.match.loading import LoadedMatcher
from heedful.tasks.match.matching import Known, Met, known, measured, reread
from heedful.tasks.match.scoring import numbered
from heedful.train.run import Run

CHUNK: Final = 256  # questions measured at a time


@dataclass(frozen=True)
class Matched:
    """What some questions meet: the measures, the classes' scores, and how sure it is that they belong to any."""

    met: Met
    logits: Float[np.ndarray, "n c"]
    sureness: Float[np.ndarray, " n"]

    @property
    def probabilities(self) -> Float[np.ndarray, "n c"]:
        """How likely each class is, if it is one of them."""
        odds = np.exp(self.logits - self.logits.max(1, keepdims=True))
        found: Float[np.ndarray, "n c"] = odds / odds.sum(1, keepdims=True)
        return found


@dataclass(frozen=True)
class Matching:
    """A matcher with the entries it matches with, and how it weighs them."""

    loaded: LoadedMatcher
    index: Known
    calibration: Calibration

    def matched(self, questions: Sequence[str]) -> Matched:
        """What the questions meet."""
        parts = [self.chunk(questions[first : first + CHUNK]) for first in range(0, len(questions), CHUNK)]
        if len(parts) == 1:
            return parts[0]
        met = Met(*(np.concatenate([part.met[i] for part in parts]) for i in range(3)))
        return Matched(met, np.concatenate([part.logits for part in parts]), np.concatenate([part.sureness for part in parts]))

    def chunk(self, questions: Sequence[str]) -> Matched:
        """The same of a few."""
        met = measured(self.loaded, self.index, questions)
        if self.calibration.weights[4]:
            met = reread(self.loaded, self.index, questions, met, self.calibration.logits(met))
        logits = self.calibration.logits(met)
        return Matched(met, logits, self.calibration.sureness(signs_of(met, logits, questions, self.loaded.grams)))

    def kept(self, found: Matched) -> list[bool]:
        """Which questions are not turned away."""
        return [bool(sure >= self.calibration.threshold) for sure in found.sureness]


def open_matching(loaded: LoadedMatcher) -> Matching:
    """The run's index and calibration, made first where they are missing or were made by an earlier model of the run."""
    path = calibration_path(loaded.run)
    calibration = Calibration.load(path) if path.is_file() else None
    if calibration is None or calibration.model != loaded.sha:
        calibration = calibrated(loaded, loaded.questions())
        calibration.save(path)
    return Matching(loaded, known(loaded, up_to_date(loaded)), calibration)


def calibration_path(run: Run) -> Path:
    """Where the calibration is."""
    return run.path / "calibration.json"


def up_to_date(loaded: LoadedMatcher) -> Entries:
    """The entries of the index; where the model has learnt on since, their vectors are made anew and every entry is kept."""
    store = loaded.store
    if not store.there():
        questions = loaded.questions()
        texts = questions.entries
        store.write(texts.texts, texts.labels, loaded.vectors(texts.texts), questions.answers, loaded.sha)
    elif store.manifest().model != loaded.sha:
        store.renew(loaded.sha, loaded.vectors)
    return store.read()


def calibrated(loaded: LoadedMatcher, questions: Questions) -> Calibration:
    """Weights and threshold, fitted to the validation questions and to texts of no class; words alone weigh where nobody asked them."""
    texts = questions.entries
    entries = Entries(texts.texts, texts.labels, tuple(range(len(texts))), loaded.vectors(texts.texts), questions.answers)
    index, asked = known(loaded, entries), joined(questions.asked("validation"), strangers_of(questions))
    begun = Matching(loaded, index, Calibration(loaded.sha))
    met, truth = begun.matched(asked.texts).met, numbered(asked.labels, index.names)
    inside = truth >= 0
    weights = LEXICAL
    if questions.asked_for:
        weights = fitted(met.measures[inside], truth[inside], free_measures(index.answers is not None, False))
        if loaded.model.reranker is not None:
            met = reread(loaded, index, asked.texts, met, Calibration(loaded.sha, weights).logits(met))
            weights = fitted(met.measures[inside], truth[inside], free_measures(index.answers is not None, True))
    begun = replace(begun, calibration=Calibration(loaded.sha, weights))
    signs = signs_of(met, begun.calibration.logits(met), asked.texts, loaded.grams)
    refusal, means, spreads, threshold = refusing(signs, ~inside, loaded.model.spec.refused)
    return replace(begun.calibration, refusal=refusal, means=means, spreads=spreads, threshold=threshold)


def strangers_of(questions: Questions) -> Texts:
    """The texts to learn from that are of no class: no weight of the model has seen them."""
    return Texts(questions.strangers, (questions.outside,) * len(questions.strangers))
