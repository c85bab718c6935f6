"""From a spec to a job: labelled texts as tokens, and a classifier of as many tokens and classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.labelled.feed import TextFeed
from heedful.data.labelled.masked import MaskedFeed
from heedful.data.labelled.noise import noised
from heedful.data.labelled.rows import Rows, rows_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.tables import UNKNOWN
from heedful.data.labelled.texts import PARTS, LabelledCorpus, Texts, balance
from heedful.data.labelled.toxic_spans import RATIONALES, marks_by_text
from heedful.data.labelled.unlabelled import vectors_of
from heedful.data.sources import data_home
from heedful.data.tokens import Tokenizer, tokenizer_from, train_tokenizer
from heedful.data.tokens.offsets import offsets
from heedful.data.tokens.runs import Runs
from heedful.data.vectors import Vectors
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill
from heedful.models.classifier import Classifier
from heedful.models.classifiers import build_classifier, classifying
from heedful.models.finetuned import Finetuned, described
from heedful.models.ngram_attention import NgramAttention
from heedful.spec.classifier import ClassifierSpec, EncoderSpec, NgramSpec, PretrainedSpec
from heedful.spec.data import DataSpec
from heedful.spec.task import RunSpec
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier
from heedful.tasks.classify.worded import begin_words, still_of, still_words, width_of, with_words
from heedful.tasks.training import fitting, layers_table
from heedful.train.budgeted.budgeted import told
from heedful.train.job import Job
from heedful.train.objective import class_of, hidden_tokens, reasoned_class_of, weighted_class_of


class Prepared(NamedTuple):
    """A job, and the texts it was made of."""

    job: Job
    corpus: LabelledCorpus

    def rows(self, part: str) -> Rows:
        """The training or the validation texts as tokens."""
        feed = self.job.feed
        assert isinstance(feed, TextFeed | MaskedFeed)
        return {"train": feed.train, "validation": feed.validation}[part]


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The texts as tokens and a model for their classes; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that does not classify, or that has other classes than the texts.
    """
    asked = classifying(spec.model)
    if spec.train.learn == "masked" and not isinstance(asked, EncoderSpec):
        raise UsageError(f"train.learn is masked, and a {asked.kind} model guesses no tokens: model.kind=encoder would work")
    corpus = load_labelled(spec.texts, labelled=spec.train.learn == "task")
    begun = earlier(spec, tokenizer)
    if begun is not None and spec.texts.vectors:
        raise UsageError("data.vectors and train.start both say where the words begin: one of them would work")
    spec, known = fitted_to(spec, asked, corpus, tokenizer, begun)
    model = classifying(spec.model)
    texts = {"train": spoilt_too(corpus.part("train"), spec.texts), "validation": corpus.part("validation")}
    parts = {part: rows_of(texts[part], model.labels, known, model.context, spec.texts.keep) for part in texts}
    if spec.train.rationale:
        parts["train"] = reasoned(parts["train"], texts["train"], known, corpus.name)
    torch.manual_seed(spec.train.seed)
    built = build_classifier(model)
    built.windowed = spec.texts.keep == "windows"
    if isinstance(built, NgramAttention):
        built.begin(*parts["train"].whole, words_of(known))
    if spec.texts.vectors:
        begin_words(built, known, unlabelled_words(spec, model))
    if isinstance(built, Finetuned) and begun is None:
        built.begin()
    if begun is not None:
        take_over(Path(spec.train.start or ""), built, begun.model)
    return Prepared(job_of(spec, built, known, parts), corpus)


def job_of(spec: RunSpec, built: Classifier, known: Tokenizer, parts: Mapping[str, Rows]) -> Job:
    """What is learnt from the texts: their classes, or first the tokens that are hidden in them."""
    if spec.train.learn == "masked":
        return Job(built, spec, known, objective=hidden_tokens, feed=MaskedFeed(**parts, vocabulary=known.size))
    weights = None if spec.texts.weights == "none" else balanced(parts["train"], len(built.labels))
    objective = class_of if weights is None else weighted_class_of(weights)
    if spec.train.rationale:
        objective = reasoned_class_of(spec.train.rationale, weights)
    return Job(built, spec, known, objective=objective, feed=TextFeed(**parts), judge="errors")


def reasoned(rows: Rows, texts: Texts, tokenizer: Tokenizer, name: str) -> Rows:
    """The rows with what readers marked in their texts; `UsageError` for texts in which nobody marked anything."""
    if name != RATIONALES:
        raise UsageError(f"train.rationale wants texts whose reasons were marked, and {name} has none: data.source={RATIONALES} would work")
    marks, found = marks_by_text(data_home() / RATIONALES), []
    for text, length in zip(texts.texts, rows.lengths.tolist(), strict=True):
        own = marks.get(text.lower(), frozenset())
        spans = offsets(tokenizer, text)
        held = [any(first <= at < end for at in own) for first, end in spans] if own else [False] * length
        found += held if len(held) == length else [False] * length  # a text that was cut has lost its places
    return replace(rows, marks=torch.tensor(found, dtype=torch.bool))


def balanced(rows: Rows, classes: int) -> Float[Tensor, " c"]:
    """How much a text of each class counts, so that all classes count the same and the mean text counts one."""
    counts = torch.bincount(rows.labels, minlength=classes).clamp(min=1)
    return len(rows) / (classes * counts.float())


def earlier(spec: RunSpec, tokenizer: Tokenizer | None) -> LoadedClassifier | None:
    """The run to begin with; one that goes on has its own checkpoints, unless it was stopped before the first."""
    start = spec.train.start
    if start is None or (tokenizer is not None and not Path(start).exists()):
        return None
    return load_classifier(Path(start))


def fitted_to(
    spec: RunSpec, asked: ClassifierSpec, corpus: LabelledCorpus, tokenizer: Tokenizer | None, begun: LoadedClassifier | None
) -> tuple[RunSpec, Tokenizer]:
    """The spec with the sizes that data and tokenizer give it, and the tokenizer."""
    known = begun.tokenizer if begun else tokenizer
    if isinstance(asked, PretrainedSpec) and (not asked.config or known is None):
        asked, state = described(asked)
        known = known or tokenizer_from(state, asked.path)
    known = known or tokenizer_of(spec, corpus)
    if not tokenizer:
        still = 0 if begun is None else still_of(classifying(begun.spec.model))
        if spec.texts.vectors:
            alone = known
            known = with_words(alone, unlabelled_words(spec, asked))
            still = known.size - alone.size
        asked = still_words(asked, still)
    model = sized(replace(asked, vocabulary=fitting(spec, known), labels=classes(asked, corpus)), known)
    return replace(spec, model=model), known


def unlabelled_words(spec: RunSpec, model: ClassifierSpec) -> Vectors:
    """Vectors of the words of the sources without classes, as long as the model's embeddings."""
    texts = spec.texts
    return vectors_of(texts.vectors, texts.encoding, texts.lowercase, width_of(model))


def spoilt_too(texts: Texts, spec: DataSpec) -> Texts:
    """The texts to learn from, and a spoilt copy of each if the spec asks for noise."""
    if spec.noise == "none":
        return texts
    copies = noised(texts, spec.noise, spec.rate, seed=1)
    return Texts(texts.texts + copies.texts, texts.labels + copies.labels)


def take_over(path: Path, model: Classifier, begun: Classifier) -> None:
    """Begin with the weights of another run; a head of other classes begins anew."""
    mine = model.state_dict()
    theirs = begun.state_dict()
    anew = [name for name in mine if name.startswith("head.") and name in theirs and theirs[name].shape != mine[name].shape]
    fill(path, model, {**theirs, **{name: mine[name] for name in anew}})


def sized(model: ClassifierSpec, tokenizer: Tokenizer) -> ClassifierSpec:
    """The spec with what the tokenizer alone can say: how many single words a model beside the runs reads."""
    if not isinstance(model, NgramSpec) or model.beside is None:
        return model
    words = max(1, sum(words_of(tokenizer)))
    further = tuple(replace(one, vocabulary=words, labels=()) for one in model.further)
    return replace(model, beside=replace(model.beside, vocabulary=words, labels=()), further=further)


def words_of(tokenizer: Tokenizer) -> list[bool]:
    """Which of its tokens are single words; `UsageError` unless it reads runs of words."""
    if not isinstance(tokenizer, Runs):
        raise UsageError(
            f"model.kind is ngram_attention, which reads runs of words, and data.tokenizer is {tokenizer.kind}: "
            "runs or letter_runs would work"
        )
    return tokenizer.words()


def tokenizer_of(spec: RunSpec, corpus: LabelledCorpus) -> Tokenizer:
    """A tokenizer of the training texts; one of characters knows those of all parts."""
    apart = spec.texts.tokenizer in ("runs", "letter_runs")  # whose runs end where a line does, and a text may have several
    texts = ["\n".join(" ".join(text.split("\n")) if apart else text for text in corpus.part(part).texts) for part in PARTS]
    return train_tokenizer(spec.texts.tokenizer, texts, spec.texts.vocabulary)


def classes(spec: ClassifierSpec, corpus: LabelledCorpus) -> tuple[str, ...]:
    """The classes of the texts, which the model's must be; texts without any leave room for two."""
    wanted = spec.labels
    if set(corpus.labels) == {UNKNOWN}:
        return wanted or (UNKNOWN, "other")
    if wanted and set(wanted) != set(corpus.labels):
        raise UsageError(
            f"model.labels are {', '.join(wanted)}, and the texts of {corpus.name} have {', '.join(corpus.labels)}: "
            "none (those of the data) would work"
        )
    return wanted or corpus.labels


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one text as long as the context."""
    return summarise(job.model, [torch.zeros(1, job.spec.model.context, dtype=torch.long)], attention=(MultiHeadAttention,))


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, train = found.job.spec, found.rows("train")
    sizes = ", ".join(f"{part} {len(found.corpus.part(part)):,}" for part in PARTS if len(found.corpus.part(part)))
    mean = float(train.lengths.double().mean())
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations / spec.model.context)} operations a token read, about three times that a token trained",
        f"{found.corpus.name}: {sizes} texts; {balance(found.corpus.part('train'))}; {found.corpus.split}",
        f"{found.job.tokenizer.kind} tokens of {found.job.tokenizer.size:,} kinds, {mean:,.0f} a text on average; "
        f"{train.cut:,} of {len(train):,} texts are longer than {spec.model.context} and read by {HOW[spec.texts.keep]}",
        told(found.job.model, spec.train, spec.model.context),
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)


HOW = {"head": "their head", "tail": "their tail", "ends": "both ends", "windows": "windows, whole"}
