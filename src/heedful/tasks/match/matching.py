"""What a question meets in an index: every class by five measures, weighed together.

A class is measured by its prototype, the mean of its entries' vectors (Snell et al. 2017, arXiv 1703.05175), which is made anew from
whatever entries there are: nothing is trained when one is added or removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from heedful.errors import UsageError
from heedful.models.matcher.matcher import picked
from heedful.models.matcher.reranker import Reranker
from heedful.tasks.match.index.approximate import LARGE, Approximate, approximate
from heedful.tasks.match.index.store import Entries
from heedful.tasks.match.lexical import TfIdf
from heedful.tasks.match.loading import LoadedMatcher
from heedful.train.metrics import moved

MEASURES: Final = ("attention", "runs", "words", "answer", "reranker")
SCALE: Final = 16.0  # of a cosine: what makes weights of about 1
WHOLE: Final = 20_000  # entries up to which words are compared with all; with the nearest alone of more
NEAREST: Final = 32


class Met(NamedTuple):
    """Of each question: the measures of every class, and which entry stands for the class with its cosine."""

    measures: Float[np.ndarray, "n c f"]
    entry: Int[np.ndarray, "n c"]
    nearest: Float[np.ndarray, "n c"]


class Groups(NamedTuple):
    """Entries in the order of their classes, and where each class begins in it."""

    order: Int[np.ndarray, " e"]
    starts: Int[np.ndarray, " c"]


@dataclass(frozen=True)
class Known:
    """The entries of an index as they are searched: classes by name, their entries, and both prototypes of each class.

    The first `width` numbers of a vector or prototype are its attentive part.
    """

    entries: Entries
    names: tuple[str, ...]
    groups: Groups
    prototypes: Float[np.ndarray, "c d"]
    width: int
    words: TfIdf | None
    answers: TfIdf | None
    graph: Approximate | None = None

    @cached_property
    def streams(self) -> tuple[Float[np.ndarray, "e a"], Float[np.ndarray, "e l"]]:
        """Both parts of every entry's vector by themselves: a product reads memory in a row, which is most of what it does."""
        vectors = self.entries.vectors
        return np.ascontiguousarray(vectors[:, : self.width]), np.ascontiguousarray(vectors[:, self.width :])


def known(loaded: LoadedMatcher, entries: Entries) -> Known:
    """Make an index ready to be searched; `UsageError` for one without entries."""
    if not len(entries):
        raise UsageError(f"{loaded.store.folder}: the index has no entries: `heedful index add` adds some")
    names = tuple(sorted(set(entries.labels)))
    place = {name: i for i, name in enumerate(names)}
    classes = np.array([place[label] for label in entries.labels])
    sums = np.zeros((len(names), entries.vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, classes, entries.vectors)
    words = TfIdf(entries.texts, loaded.grams) if len(entries) <= WHOLE else None
    said = [entries.answers.get(name, "") for name in names]
    answers = TfIdf(said, loaded.grams) if any(said) else None
    large = loaded.model.spec.search == "usearch" and len(entries) > LARGE
    graph = approximate(loaded.store.folder, entries) if large else None
    width = loaded.model.spec.attentive
    return Known(entries, names, grouped(classes), unit(sums, width), width, words, answers, graph)


def unit(vectors: Float[np.ndarray, "c d"], width: int) -> Float[np.ndarray, "c d"]:
    """Both parts of each vector of length 1."""
    parts = [vectors[:, :width], vectors[:, width:]]
    scaled = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in parts]
    found: Float[np.ndarray, "c d"] = np.concatenate(scaled, axis=1).astype(np.float32)
    return found


def measured(loaded: LoadedMatcher, index: Known, questions: Sequence[str]) -> Met:
    """Every measure but the re-ranker's, which needs to know the best of them (`reread`)."""
    asked = loaded.vectors(questions)
    near = nearness(index, asked)
    alone = len(index.names) == len(index.entries)  # then a class's one entry is its prototype
    streams = [row[:, index.groups.order] for row in near] if alone else of_classes(index, asked)
    close = (near[0] + near[1]) / 2.0
    lexical = words_of(loaded, index, questions, close)
    entry, nearest = best_entries((close + lexical) / 2.0, index.groups)
    words = lexical[:, index.groups.order]
    words = words if alone else np.maximum.reduceat(words, index.groups.starts, axis=1)
    answers = index.answers.scores(questions) if index.answers else np.zeros_like(words)
    measures = np.stack([*streams, words, answers, np.zeros_like(words)], axis=1)  # a measure after the other, as they are read
    measures *= SCALE
    return Met(measures.transpose(0, 2, 1), entry, nearest)


def of_classes(index: Known, asked: Float[np.ndarray, "n d"]) -> list[Float[np.ndarray, "n c"]]:
    """Both cosines with the prototype of every class."""
    sides = (slice(0, index.width), slice(index.width, None))
    return [cosines(asked[:, side], index.prototypes[:, side]) for side in sides]


def nearness(index: Known, asked: Float[np.ndarray, "n d"]) -> list[Float[np.ndarray, "n e"]]:
    """Both cosines with every entry; where there is a graph, with those it finds, and -1 with all others."""
    parts = (asked[:, : index.width], asked[:, index.width :])
    if index.graph is None:
        return [cosines(part, vectors) for part, vectors in zip(parts, index.streams, strict=True)]
    near = [np.full((len(asked), len(index.entries)), -1.0, dtype=np.float32) for _ in parts]
    for row, places in enumerate(index.graph.nearest(asked, NEAREST)):
        for found, part, vectors in zip(near, parts, index.streams, strict=True):
            found[row, places] = vectors[places] @ part[row]
    return near


def cosines(asked: Float[np.ndarray, "n d"], vectors: Float[np.ndarray, "e d"]) -> Float[np.ndarray, "n e"]:
    """Every vector times every question's; for one question no matrix is packed first, which would take longer than the product.

    >>> cosines(np.eye(2), np.array([[0.6, 0.8], [1.0, 0.0]])).tolist()
    [[0.6, 1.0], [0.8, 0.0]]
    """
    found: Float[np.ndarray, "n e"] = (vectors @ asked[0])[None] if len(asked) == 1 else asked @ vectors.T
    return found


def words_of(loaded: LoadedMatcher, index: Known, questions: Sequence[str], close: Float[np.ndarray, "n e"]) -> Float[np.ndarray, "n e"]:
    """The cosine of tf-idf with every entry; of a large index with those alone whose vectors are nearest, 0 with the others."""
    if index.words is not None:
        return index.words.scores(questions)
    found = np.zeros_like(close)
    for row, question in enumerate(questions):
        near = np.argpartition(-close[row], NEAREST)[:NEAREST]
        texts = [index.entries.texts[place] for place in near]
        found[row, near] = TfIdf(texts, loaded.grams).scores([question])[0]
    return found


def best_entries(scores: Float[np.ndarray, "n e"], groups: Groups) -> tuple[Int[np.ndarray, "n c"], Float[np.ndarray, "n c"]]:
    """The entry of each class that meets each question best (the first of equals), and how well.

    >>> entry, best = best_entries(np.array([[0.1, 0.9, 0.5, 0.2]]), grouped(np.array([0, 1, 0, 1])))
    >>> entry.tolist(), best.tolist()
    ([[2, 1]], [[0.5, 0.9]])
    """
    ordered = scores[:, groups.order]
    if len(groups.starts) == len(groups.order):  # every entry is a class of its own
        return np.tile(groups.order, (len(scores), 1)), ordered
    best = np.maximum.reduceat(ordered, groups.starts, axis=1)
    sizes = np.diff(np.append(groups.starts, len(groups.order)))
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    rows = []
    for row, most in zip(ordered, best, strict=True):
        equal = np.flatnonzero(row == most[numbers])
        rows.append(groups.order[equal[np.searchsorted(numbers[equal], np.arange(len(sizes)))]])
    return np.stack(rows), best


def grouped(classes: Int[np.ndarray, " e"]) -> Groups:
    """The entries class by class."""
    order = np.argsort(classes, kind="stable")
    return Groups(order, np.flatnonzero(np.diff(classes[order], prepend=-1)))


@torch.inference_mode()
def reread(loaded: LoadedMatcher, index: Known, questions: Sequence[str], met: Met, logits: Float[np.ndarray, "n c"]) -> Met:
    """With the re-ranker's measure: of the best classes what it says of their best entries, of all others a little less than the least."""
    reranker = loaded.model.reranker
    if reranker is None:
        return met
    most = min(loaded.model.spec.best, len(index.names))
    best = np.argsort(-logits, axis=1, kind="stable")[:, :most]
    for row, question in enumerate(questions):
        texts = [index.entries.texts[met.entry[row, place]] for place in best[row]]
        said = pair_scores(loaded, reranker, question, texts)
        met.measures[row, :, 4] = said.min() - 1.0
        met.measures[row, best[row], 4] = said
    return met


def pair_scores(loaded: LoadedMatcher, reranker: Reranker, question: str, texts: Sequence[str]) -> Float[np.ndarray, " k"]:
    """The re-ranker's score of a question with each of some texts."""
    batch = moved(loaded.reading([question, *texts]).whole(), loaded.device)
    found = loaded.model.tower(batch)
    entries = torch.arange(1, len(texts) + 1, device=loaded.device)
    scores, _ = reranker(picked(found, torch.zeros_like(entries)), picked(found, entries))
    said: Float[np.ndarray, " k"] = scores.float().cpu().numpy()
    return said
