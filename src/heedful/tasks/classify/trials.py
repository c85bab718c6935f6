"""Many trainings of one spec: over folds and seeds, with what chance alone explains; and over ever more texts.

The interval of a difference is of the paired bootstrap over texts (Efron & Tibshirani 1993, ch. 13; Berg-Kirkpatrick et al. 2012): both
models answer the same texts, and of each text the mean over seeds is taken first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from heedful.data.labelled.sources import load_labelled
from heedful.errors import UsageError
from heedful.models.classifiers import classifying
from heedful.spec.classifier import EncoderSpec, PretrainedSpec
from heedful.spec.task import RunSpec
from heedful.tasks.classify.scoring import scored
from heedful.tasks.classify.trial import Answers, baseline_trial, joined, learnt, trial
from heedful.tasks.task import Evaluation, Listing, Measure, Record
from heedful.train.progress import Report
from heedful.train.run import Run

DRAWS: Final = 10_000
SHARES: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
STEPS: Final = 60  # at least, of however few texts
Reports = Callable[[str], Report]


def repeated(run: Run, measure: Measure, reports: Reports) -> Evaluation:
    """The mean over seeds (and, with folds, over all texts, each answered by the model that did not learn it), beside the baseline.

    Errors: `UsageError` for fewer than one seed or two folds, or a part that has no texts.
    """
    spec, seeds = begun_anew(run.spec), measure.seeds or 1
    if seeds < 1 or (measure.folds is not None and measure.folds < 2):
        raise UsageError(f"--seeds {measure.seeds} --folds {measure.folds}: one seed or more, and two folds or more, would work")
    part = tested(spec, measure)
    ours: list[Answers] = []
    for seed in range(spec.train.seed, spec.train.seed + seeds):
        ours.append(joined([trial(*one, reports(one[1])) for one in plan(run, spec, measure, seed, part)]))
    folds = [replace(spec.texts, folds=measure.folds, fold=fold) for fold in range(measure.folds)] if measure.folds else [spec.texts]
    beside = joined([baseline_trial(home(run), f"baseline-{data.folds or 0}-{data.fold}-{part}", data, part) for data in folds])
    rows: dict[str, Record] = {
        f"{spec.model.kind}, mean of {seeds}": mean(ours),
        "tf-idf under a linear SVM": scored(beside.truth, beside.found),
    }
    where = f"{measure.folds} folds" if measure.folds else part
    said = (
        f"{where} of {spec.data.source}, {seeds} seeds, each trained anew by {run.path}/run.yaml; {DRAWS:,} draws of the paired bootstrap"
    )
    return Evaluation(f"{where}, {seeds} seeds", said, rows, (each(ours), compared(ours, beside)))


def begun_anew(spec: RunSpec) -> RunSpec:
    """The spec without what the data of its own run filled in: other texts have other words."""
    model = replace(classifying(spec.model), vocabulary=0, labels=())
    return replace(spec, model=replace(model, config="") if isinstance(model, PretrainedSpec) else model)


def tested(spec: RunSpec, measure: Measure) -> str:
    """The part that is answered: of folds their own, else what was asked for, or test where there is one."""
    if measure.data is not None:
        raise UsageError("--seeds, --folds and --learning-curve train anew on the run's own data: without --data they would work")
    if measure.folds:
        return "test"
    parts = load_labelled(spec.texts)
    part = measure.split or ("test" if len(parts.part("test")) else "validation")
    if not len(parts.part(part)):
        raise UsageError(f"--split {part}: {spec.data.source} has no such texts: validation would work")
    return part


def plan(run: Run, spec: RunSpec, measure: Measure, seed: int, part: str) -> Iterator[tuple[Path, str, RunSpec, str]]:
    """The trainings of one seed."""
    seeded = replace(spec, train=replace(spec.train, seed=seed))
    if not measure.folds:
        yield home(run), f"seed-{seed}-{part}", seeded, part
    for fold in range(measure.folds or 0):
        data = replace(spec.texts, folds=measure.folds, fold=fold)
        yield home(run), f"seed-{seed}-fold-{fold}-of-{measure.folds}", replace(seeded, data=data), part


def home(run: Run) -> Path:
    """Where trainings of a run are remembered."""
    return run.path / "trials"


def mean(ours: Sequence[Answers]) -> Record:
    """The mean scores."""
    found = [scored(one.truth, one.found) for one in ours]
    return {**{key: float(np.mean([row[key] for row in found])) for key in ("accuracy", "macro_f1")}, "texts": found[0]["texts"]}


def each(ours: Sequence[Answers]) -> Listing:
    """Every seed by itself, and the standard error of their mean."""
    found = [scored(one.truth, one.found) for one in ours]
    rows: list[tuple[str | int | float, ...]] = [
        (f"{i + 1}", row["accuracy"], row["macro_f1"], f"{one.seconds:.0f}") for i, (row, one) in enumerate(zip(found, ours, strict=True))
    ]
    if len(found) > 1:
        errors = [float(np.std([row[key] for row in found], ddof=1) / np.sqrt(len(found))) for key in ("accuracy", "macro_f1")]
        rows.append(("standard error", *errors, ""))
    return Listing("each seed", ("seed", "accuracy", "macro f1", "seconds"), tuple(rows))


def compared(ours: Sequence[Answers], beside: Answers) -> Listing:
    """The difference to the baseline, and its 95% interval."""
    gained = np.mean([one.right() for one in ours], axis=0) - np.array(beside.right())
    low, high = interval(gained)
    verdict = "above" if low > 0 else "below" if high < 0 else "not to be told apart"
    row = (f"{gained.mean() * 100:+.2f}", f"{low * 100:+.2f}", f"{high * 100:+.2f}", verdict)
    return Listing("accuracy above the baseline, in points, with its 95% interval", ("difference", "from", "to", "the model is"), (row,))


def interval(values: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]], draws: int = DRAWS) -> tuple[float, float]:
    """The 95% interval of a mean by the percentile bootstrap.

    >>> interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    numbers, draw = np.asarray(values, dtype=float), np.random.default_rng(0)
    # A resample is how often each value occurs; of few distinct values only their counts matter, which is quick for many texts.
    distinct, counts = np.unique(numbers, return_counts=True)
    drawn = draw.multinomial(len(numbers), counts / len(numbers), size=draws)
    means = drawn @ distinct / len(numbers)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def learning_curve(run: Run, measure: Measure, reports: Reports) -> Evaluation:
    """Accuracy by the share of the texts learnt from: of the model, of the same pretrained on all texts' words, and of the baseline."""
    spec, part = begun_anew(run.spec), tested(run.spec, measure)
    rows: list[tuple[str | int | float, ...]] = []
    with pretrained(run, spec, reports) as start:
        for share in SHARES:
            data = replace(spec.texts, share=share)
            beside = baseline_trial(home(run), f"baseline-share-{share:g}-{part}", data, part)
            found = [trial(home(run), f"share-{share:g}-{part}", fewer(spec, share, None), part, reports(f"{share:.0%}"))]
            if start is not None:
                name = f"share-{share:g}-{part}-pretrained"
                found.append(trial(home(run), name, fewer(spec, share, start), part, reports(f"{share:.0%}, pretrained")))
            shares = [float(np.mean(one.right())) for one in (*found, beside)]
            rows.append((f"{share:.0%}", len(load_labelled(data).part("train")), *shares))
    heads = ("texts", "number", "model", *(("pretrained",) if start is not None else ()), "baseline")
    curve = Listing(f"accuracy on {part} by the share of the texts learnt from", heads, tuple(rows))
    last: dict[str, Record] = {
        spec.model.kind: scored(found[-1].truth, found[-1].found),
        "tf-idf under a linear SVM": scored(beside.truth, beside.found),
    }
    return Evaluation(f"{part}, learning curve", f"{part} of {spec.data.source}; each trained anew by {run.path}/run.yaml", last, (curve,))


def fewer(spec: RunSpec, share: float, start: str | None) -> RunSpec:
    """The spec on a share of the texts, by as many epochs, some sixty steps at least."""
    texts = max(1, round(share * len(load_labelled(spec.texts).part("train"))))
    epochs = spec.train.epochs and max(spec.train.epochs, STEPS * spec.train.batch / texts)
    often = min(spec.train.eval_every, max(STEPS // 4, texts // spec.train.batch))
    train = replace(spec.train, start=start or spec.train.start, epochs=epochs, eval_every=often, warmup=min(spec.train.warmup, STEPS // 4))
    return replace(spec, data=replace(spec.texts, share=share), train=train)


@contextmanager
def pretrained(run: Run, spec: RunSpec, reports: Reports) -> Iterator[str | None]:
    """A run that has guessed hidden tokens of all the texts to learn from; None for a model that cannot."""
    if not isinstance(spec.model, EncoderSpec):
        yield None
        return
    folder = home(run) / "pretrained"
    if not (folder / "done").is_file():
        learnt(folder, replace(spec, train=replace(spec.train, learn="masked", start=None, patience=None)), reports("pretraining"))
        (folder / "done").touch()
    yield str(folder)
