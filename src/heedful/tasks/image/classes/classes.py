"""The class of a picture, by convolutions with gates or by a transformer over patches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import final

from rich.console import Console

from heedful.models.vision.build import KINDS, PictureClassifier, build_picture_classifier, picture_classifying
from heedful.spec.task import RunSpec
from heedful.tasks.classify.calibrate import keep_temperature, temperature_of
from heedful.tasks.classify.scoring import scored
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.pictured import why_shown
from heedful.tasks.explained.seen import of_picture
from heedful.tasks.image.baseline import Linear
from heedful.tasks.image.classes.answer import Classified
from heedful.tasks.image.classes.evaluation import evaluate, judge
from heedful.tasks.image.classes.explained import explained
from heedful.tasks.image.classes.preparing import Prepared, announce, batch_of, cost_of, prepared
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.image.loading import LoadedPictures, load_pictures
from heedful.tasks.running import Ready
from heedful.tasks.task import Evaluation, Explanation, Measure, View
from heedful.train.loop import Trainer
from heedful.train.run import Run


@final
class Classes:
    """Which class a picture belongs to."""

    kinds = KINDS

    def ready(self, spec: RunSpec) -> Ready:
        """The job with its cost, and with the baseline that it stands beside."""
        found = prepared(spec)
        cost, beside = cost_of(found.job.model), beside_of(found)
        return Ready(found.job, lambda console: announce(found, cost, console), partial(fit, beside=beside, found=found), "images")

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Accuracy, macro-F1, each class and the confusions, beside the baseline."""
        return evaluate(load_pictures(run, build_picture_classifier), measure)

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Classified]:
        """The class of each picture."""
        loaded = load_pictures(run, build_picture_classifier)
        return (Classified(loaded, each) for each in read(loaded, words))

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """The class of a picture, and which of its places counted: maps of several kinds, or one method's scores."""
        answer = next(self.predict(run, [word]))
        if of_weights_alone(view):
            return explained(answer, view)
        model = answer.loaded.model
        return why_shown(of_picture(model, answer.picture.pixels, view.target, view.contrast), run, answer.record(), view)


def read(loaded: LoadedPictures[PictureClassifier], words: Sequence[str]) -> Iterator[Input]:
    """The pictures that the words name."""

    def own(part: str) -> list[Input]:
        found = loaded.pictures().part(part)
        return [Input("", pixels, label) for pixels, label in zip(found.pixels, found.labels, strict=True)]

    return inputs(words, loaded.model.size, loaded.model.channels, own)


def beside_of(found: Prepared) -> str:
    """The baseline on the validation pictures, in words."""
    labels = picture_classifying(found.job.spec.model).labels
    train, judged = (batch_of(found.pictures.part(part), labels) for part in ("train", "validation"))
    linear = Linear(train.pixels, train.labels, len(labels))
    said = [labels[i] for i in linear.predict(judged.pixels).tolist()]
    scores = scored(found.pictures.part("validation").labels, said)
    return f"{linear.name}: validation accuracy {scores['accuracy']:.2%}, macro-F1 {scores['macro_f1']:.2%}"


def fit(trainer: Trainer, run: Run, console: Console, beside: str, found: Prepared) -> None:
    """Train, calibrate, and say what came of it, beside what one matrix on the pixels gives."""
    if trainer.main:
        console.print(beside, highlight=False, soft_wrap=True)
    done = trainer.fit()
    if not trainer.main:
        return
    why = ", no better for a while" if done.stalled else ""
    best = f"best validation accuracy {1.0 - done.best:.2%} at step {done.best_step:,}; {calibrated(run, found)}"
    for line in (
        f"{done.steps:,} steps in {done.seconds:,.0f} s{why}: {best}",
        beside,
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} PICTURE",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def calibrated(run: Run, found: Prepared) -> str:
    """Fit the temperature of the best checkpoint on the validation pictures and keep it there; what it is, in words."""
    loaded = load_pictures(run.path, build_picture_classifier)
    batch = batch_of(found.pictures.part("validation"), loaded.model.labels)
    temperature = temperature_of(judge(loaded, batch), batch.labels)
    keep_temperature(run.checkpoint_path, temperature)
    return f"temperature {temperature:.3f}"
