"""What every matcher stands beside: BM25, the cosine of tf-idf, and a linear SVM over the same runs (Joachims 1998)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions
from heedful.data.questions.reading import weighted
from heedful.data.tokens.grams import Grams
from heedful.errors import MissingExtra
from heedful.tasks.match.bm25 import BM25

Scores = Float[np.ndarray, "n c"]


@final
class TfIdf:
    """The cosine of runs of characters and words, each weighed by its rarity, between questions and texts.

    >>> grams = Grams.train(["lost my card\\nforgot my pin"], None)
    >>> TfIdf(["lost my card", "forgot my pin"], grams).scores(["card lost"]).astype(float).round(1).tolist()
    [[0.8, 0.1]]
    """

    def __init__(self, texts: Sequence[str], grams: Grams) -> None:
        self.grams = grams
        self.matrix = sparse([weighted(grams, text) for text in texts], grams.size)

    def instead(self, place: int, text: str) -> TfIdf:
        """The same texts but for one."""
        from scipy.sparse import vstack

        made = TfIdf((), self.grams)
        row = sparse([weighted(self.grams, text)], self.grams.size)
        made.matrix = vstack([self.matrix[:place], row, self.matrix[place + 1 :]], format="csr")
        return made

    def scores(self, questions: Sequence[str]) -> Scores:
        """The cosine of every question (rows) with every text (columns)."""
        asked = sparse([weighted(self.grams, question) for question in questions], self.grams.size)
        found: NDArray[np.float32] = (asked @ self.matrix.T).toarray()
        return found


def sparse(bags: Sequence[tuple[list[int], list[float]]], columns: int) -> Any:
    """Weighted runs as a sparse matrix."""
    try:
        from scipy.sparse import csr_matrix
    except ImportError:
        raise MissingExtra("scipy", "text", "matching by words") from None
    counts = np.cumsum([0, *(len(ids) for ids, _ in bags)])
    ids = np.array([run for runs, _ in bags for run in runs], dtype=np.int64)
    values = np.array([value for _, values in bags for value in values], dtype=np.float32)
    return csr_matrix((values, ids, counts), shape=(len(bags), columns))


def class_scores(entries: Scores, labels: Sequence[str], names: Sequence[str]) -> Scores:
    """A class by the best of its entries."""
    place = {name: i for i, name in enumerate(names)}
    columns = np.array([place[label] for label in labels])
    found = np.full((len(entries), len(names)), -np.inf, dtype=entries.dtype)
    np.maximum.at(found.T, columns, entries.T)
    return found


def bm25_scores(known: Questions, questions: Sequence[str], answers: bool = False) -> Scores:
    """The classes by their best entry under BM25; with `answers` by their answers besides."""
    index = BM25(known.entries.texts)
    found = class_scores(np.stack([index.scores(text) for text in questions]), known.entries.labels, known.labels)
    if answers:
        beside = BM25([known.answers.get(label, "") for label in known.labels])
        found = found + np.stack([beside.scores(text) for text in questions])
    return found


def tfidf_scores(known: Questions, questions: Sequence[str], grams: Grams) -> Scores:
    """The classes by their best entry under the cosine of tf-idf."""
    return class_scores(TfIdf(known.entries.texts, grams).scores(questions), known.entries.labels, known.labels)


@final
class LinearSVM:
    """A linear support vector machine over words, pairs of words and runs of characters by tf-idf."""

    def __init__(self, texts: Texts, names: Sequence[str], grams: Grams) -> None:
        try:
            from sklearn.svm import LinearSVC
        except ImportError:
            raise MissingExtra("scikit-learn", "text", "matching beside a linear baseline") from None
        place = {name: i for i, name in enumerate(names)}
        self.grams, self.count = grams, len(names)
        self.machine: Any = LinearSVC(C=0.5, random_state=0)
        self.machine.fit(sparse([weighted(grams, text) for text in texts.texts], grams.size), [place[label] for label in texts.labels])

    def scores(self, questions: Sequence[str]) -> Scores:
        """The margin of every class."""
        margins = self.machine.decision_function(sparse([weighted(self.grams, text) for text in questions], self.grams.size))
        if self.count == 2:
            margins = np.stack([-margins, margins], axis=1)
        found: Scores = np.asarray(margins)
        return found
