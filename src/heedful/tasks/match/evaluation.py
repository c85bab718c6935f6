"""How well questions are matched, beside BM25, the cosine of tf-idf and a linear SVM, with intervals over the same questions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions
from heedful.errors import DataError, UsageError
from heedful.tasks.match.lexical import LinearSVM, bm25_scores, tfidf_scores
from heedful.tasks.match.loading import LoadedMatcher
from heedful.tasks.match.matched import Matching, open_matching
from heedful.tasks.match.matching import MEASURES
from heedful.tasks.match.scoring import numbered, paired_bootstrap, ranked, ranks, refusing
from heedful.tasks.task import Evaluation, Listing, Measure, Record

TIMED: Final = 30  # questions one after the other


def evaluate(loaded: LoadedMatcher, measure: Measure) -> Evaluation:
    """The scores of a run and of the baselines on a part of the questions."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token, and a question is matched whole: without it, it would work")
    questions = loaded.questions(measure.data)
    part = measure.split or ("validation" if measure.data is None else "whole")
    asked, matching = questions.asked(part), open_matching(loaded)
    names = matching.index.names
    truth = numbered(asked.labels, names)
    refuse_strange(questions, asked, part, names, loaded)
    found = matching.matched(asked.texts)
    inside = truth >= 0
    rows: dict[str, Record] = {"matcher": {**ranked(found.logits[inside], truth[inside])}}
    scores = beside(loaded, matching, asked, inside)
    rows.update({name: ranked(given, truth[inside]) for name, given in scores.items()})
    listings = [differences(found.logits[inside], scores, truth[inside]), weights(matching), latency(matching, asked)]
    if len(truth):
        right = found.logits.argmax(1) == truth
        listings.append(point(matching, refusing(right, np.array(matching.kept(found)), ~inside), int((~inside).sum())))
    where = part if measure.data is None else f"{part} of {measure.data}"
    size = f"{len(asked):,} questions, {len(matching.index.entries):,} entries of {len(names)} classes"
    return Evaluation(where, f"{part} of {questions.name} ({questions.split}): {size}", rows, tuple(listings))


def refuse_strange(questions: Questions, asked: Texts, part: str, names: tuple[str, ...], loaded: LoadedMatcher) -> None:
    """Refuse a part without questions, or with classes that have no entry."""
    if not len(asked):
        raise DataError(f"the {part} part of {questions.name} has no questions: --split train, validation, test or whole")
    strange = sorted(set(asked.labels) - set(names) - {questions.outside})
    if strange:
        raise DataError(
            f"{questions.name} has classes without an entry in {loaded.store.folder}: {', '.join(strange[:3])}; "
            "`heedful index add` adds some"
        )
    if set(asked.labels) == {questions.outside}:
        raise DataError(f"the {part} part of {questions.name} has no question of a class that is known: another --split would work")


def beside(
    loaded: LoadedMatcher, matching: Matching, asked: Texts, inside: Bool[np.ndarray, " n"]
) -> Mapping[str, Float[np.ndarray, "n c"]]:
    """The baselines over the entries of the index as they are now."""
    entries = matching.index.entries
    known = Questions("index", Texts(entries.texts, entries.labels), Texts(), {}, "", answers=entries.answers)
    texts = [text for text, counted in zip(asked.texts, inside.tolist(), strict=True) if counted]
    found = {"BM25": bm25_scores(known, texts)}
    if matching.index.answers is not None:
        found["BM25, answers too"] = bm25_scores(known, texts, answers=True)
    found["tf-idf cosine"] = tfidf_scores(known, texts, loaded.grams)
    if len(entries) > len(matching.index.names):
        found["tf-idf, linear SVM"] = LinearSVM(known.entries, matching.index.names, loaded.grams).scores(texts)
    return found


def differences(ours: Float[np.ndarray, "n c"], scores: Mapping[str, Float[np.ndarray, "n c"]], truth: Int[np.ndarray, " n"]) -> Listing:
    """What the matcher gains on each baseline over the same questions, with 95% intervals."""
    mine = ranks(ours, truth)
    rows: list[tuple[str | int | float, ...]] = []
    for name, given in scores.items():
        theirs = ranks(given, truth)
        for what, left, right in (("accuracy", mine == 1, theirs == 1), ("map", 1 / mine, 1 / theirs)):
            one, other = left.astype(float), right.astype(float)
            low, high = paired_bootstrap(one, other)
            rows.append((name, what, *(f"{100 * value:+.2f}" for value in (float((one - other).mean()), low, high))))
    return Listing(
        "the matcher's gain, in points, and its 95% interval (paired bootstrap)", ("on", "score", "gain", "from", "to"), tuple(rows)
    )


def weights(matching: Matching) -> Listing:
    """How the measures weigh."""
    rows = tuple((name, f"{weight:.3f}") for name, weight in zip(MEASURES, matching.calibration.weights, strict=True))
    return Listing("what weighs how much (fitted to the validation questions)", ("measure", "weight"), rows)


def point(matching: Matching, found: Record, outside: int) -> Listing:
    """The operating point."""
    share = matching.loaded.model.spec.refused
    title = f"at the threshold that turned away {share:.0%} of the validation questions of a class; {outside:,} questions here are of none"
    return Listing(title, ("score", "value"), tuple((name.replace("_", " "), float(value)) for name, value in found.items()))


def latency(matching: Matching, asked: Texts) -> Listing:
    """Milliseconds of one question, from text to classes."""
    spent = []
    for text in asked.texts[: TIMED + 3]:
        begun = time.perf_counter()
        matching.matched([text])
        spent.append(1e3 * (time.perf_counter() - begun))
    middle = statistics.median(spent[3:] or spent)
    return Listing(
        "one question at a time",
        ("entries", "median ms", "slowest ms"),
        ((len(matching.index.entries), f"{middle:.1f}", f"{max(spent[3:] or spent):.1f}"),),
    )
