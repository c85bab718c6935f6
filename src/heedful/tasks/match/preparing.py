"""From a spec to a job: questions as runs and words, and a matcher of as many runs and classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console

from heedful.data.labelled.texts import Texts, balance
from heedful.data.questions.corpus import Questions
from heedful.data.questions.feed import QuestionFeed
from heedful.data.questions.reading import MatchBatch, read
from heedful.data.questions.sources import load_questions
from heedful.data.tokens import Tokenizer
from heedful.data.tokens.grams import Grams
from heedful.errors import CheckpointError, DataError, UsageError
from heedful.models.checkpoint import fill
from heedful.models.matcher.matcher import MatcherOutput, build_matcher
from heedful.spec.matcher import MatcherSpec
from heedful.spec.task import RunSpec
from heedful.tasks.match.loading import load_matcher, questions_of
from heedful.tasks.match.mining import mined
from heedful.train.job import Job
from heedful.train.objective import Carry, Outcome


class Prepared(NamedTuple):
    """A job, and the questions it was made of."""

    job: Job
    questions: Questions
    grams: Grams


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The questions as runs and words and a matcher of their classes; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that does not match, or that has other classes than the questions.
    """
    asked = matching(spec)
    questions = load_questions(questions_of(spec))
    begun = None if tokenizer or spec.train.start is None else load_matcher(Path(spec.train.start))
    grams = begun.grams if begun else runs_known(tokenizer) if tokenizer else runs_of(spec, questions)
    model = replace(asked, vocabulary=sized(asked, grams), labels=classes(asked, questions))
    spec = replace(spec, model=model)
    train, validation = (read(texts, model.labels, grams, model.context) for texts in (questions.learnt, judged(questions)))
    near = mined(questions.learnt, model.labels, grams, model.mined) if model.hard else None
    torch.manual_seed(spec.train.seed)
    built = build_matcher(model)
    if begun is not None:
        fill(Path(spec.train.start or ""), built, begun.model.state_dict())
    feed = QuestionFeed(train, validation, near, model.hard)
    return Prepared(Job(built, spec, grams, objective=meaning, feed=feed, judge="errors"), questions, grams)


def matching(spec: RunSpec) -> MatcherSpec:
    """The model's spec, if it is a matcher's."""
    if not isinstance(spec.model, MatcherSpec):
        raise UsageError(f"model.kind is {spec.model.kind}, which does not match questions: matcher does")
    return spec.model


def meaning(model: torch.nn.Module, batch: MatchBatch, carry: Carry) -> Outcome:
    """The loss of both streams and, of groups, of pairs."""
    output: MatcherOutput = model(batch)
    assert output.loss is not None, "a matcher returns the loss of the rows whose class is known"
    return Outcome(output.loss, output.logits)


def judged(questions: Questions) -> Texts:
    """The validation questions of a class; those of none are for the threshold."""
    asked = questions.asked("validation")
    inside = [i for i, label in enumerate(asked.labels) if label != questions.outside]
    if not inside:
        raise DataError(f"{questions.name}: no question to validate on: data.validation=0.1 or a validation table would work")
    return asked.picked(inside)


def runs_of(spec: RunSpec, questions: Questions) -> Grams:
    """The runs of what is learnt from."""
    texts = (*questions.learnt.texts, *questions.answers.values())
    return Grams.train(["\n".join(" ".join(text.split()) for text in texts)], questions_of(spec).vocabulary)


def runs_known(tokenizer: Tokenizer) -> Grams:
    """The run's own tokenizer."""
    if not isinstance(tokenizer, Grams):
        raise CheckpointError(f"the run's tokenizer is of the kind {tokenizer.kind}, and a matcher reads grams")
    return tokenizer


def sized(asked: MatcherSpec, grams: Grams) -> int:
    """The number of runs, which the model's vocabulary must be."""
    if asked.vocabulary not in (0, grams.size):
        raise UsageError(
            f"model.vocabulary is {asked.vocabulary}, and {grams.size} runs are told apart: 0 (as many as there are) would work, and "
            "data.vocabulary bounds them"
        )
    return grams.size


def classes(asked: MatcherSpec, questions: Questions) -> tuple[str, ...]:
    """The classes of the questions, which the model's must be."""
    if asked.labels and set(asked.labels) != set(questions.labels):
        raise UsageError(
            f"model.labels are {', '.join(asked.labels[:5])}, and {questions.name} has {', '.join(questions.labels[:5])}: none would work"
        )
    return asked.labels or questions.labels


def announce(found: Prepared, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, questions, train = found.job.spec, found.questions, found.job.fed
    assert isinstance(train, QuestionFeed)
    weights = sum(weight.numel() for weight in found.job.model.parameters())
    words = float(train.train.words.lengths.double().mean())
    sizes = ", ".join(f"{part} {len(texts):,}" for part, texts in questions.parts.items() if len(texts))
    for line in (
        f"matcher: {weights:,} parameters, {found.grams.size:,} runs of characters and words, {len(questions.labels):,} classes",
        f"{questions.name}: {len(questions.entries):,} entries, {sizes} questions; {balance(questions.entries)}; {questions.split}",
        f"{len(questions.learnt):,} texts to learn from, {words:.0f} words each on average; "
        f"{train.train.words.cut:,} of them are longer than {spec.model.context}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
