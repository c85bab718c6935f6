"""How well a classifier tells the classes of texts it has not learnt from, and how well counting words does."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.labelled.batches import every
from heedful.data.labelled.rows import Rows
from heedful.data.labelled.texts import Texts
from heedful.errors import DataError, UsageError
from heedful.tasks.classify.attacked import attacked
from heedful.tasks.classify.baseline import Baseline
from heedful.tasks.classify.calibrate import threshold_for
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.tasks.classify.preparing import HOW
from heedful.tasks.classify.scoring import by_class, calibration, confusion, cooled, scored
from heedful.tasks.classify.spoilt import noise_curve
from heedful.tasks.task import Evaluation, Listing, Measure, Record
from heedful.train.metrics import moved


class Judged(NamedTuple):
    """The texts of a part, as the model reads them and with what it says of each."""

    texts: Texts
    rows: Rows
    logits: Float[Tensor, "n c"]
    temperature: float

    @property
    def probabilities(self) -> Float[Tensor, "n c"]:
        """Of every class, calibrated."""
        return (self.logits.double() / self.temperature).softmax(1)


def evaluate(loaded: LoadedClassifier, measure: Measure) -> Evaluation:
    """Accuracy and macro-F1 of a model and of the linear baseline on a part of the data, each class and the confusions besides."""
    refuse(loaded, measure)
    corpus = loaded.corpus(measure.data)
    part = measure.split or ("validation" if measure.data is None else "whole")
    texts, labels = corpus.part(part), loaded.model.labels
    if not len(texts):
        raise DataError(f"the {part} part of {corpus.name} has no texts: --split train, validation, test or whole")
    strange = sorted(set(texts.labels) - set(labels))
    if strange:
        raise DataError(
            f"{corpus.name} has classes that this model does not know: {', '.join(strange[:3])}; it knows {', '.join(labels[:12])}"
        )
    judged = judge(loaded, texts)
    found = [labels[i] for i in judged.logits.argmax(1).tolist()]
    baseline = Baseline(loaded.corpus().part("train"))
    rows: dict[str, Record] = {
        loaded.spec.model.kind: ours(judged, found),
        baseline.name: scored(texts.labels, baseline.predict(texts.texts)),
    }
    listings = [
        by_class(labels, texts.labels, found),
        confusion(labels, texts.labels, found),
        *cooled(judged.logits, judged.rows.labels, judged.temperature),
    ]
    listings += answered(loaded, judged, measure)
    if measure.noise is not None:
        listings.append(noise_curve(texts, measure.noise, measure.rate, lambda part: told(loaded, part), baseline.predict))
    if measure.attack is not None:
        listings.append(attacked(loaded, texts, measure.attack, measure.attacked))
    where = part if measure.data is None else f"{part} of {measure.data}"
    return Evaluation(where, protocol(loaded, corpus.name, corpus.split, part, judged.rows), rows, tuple(listings))


def refuse(loaded: LoadedClassifier, measure: Measure) -> None:
    """Refuse what does not go with classes, and a run that has learnt none."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token, and a classifier scores it whole: without it, it would work")
    if loaded.spec.train.learn == "masked":
        raise UsageError(
            f"{loaded.run.path} was pretrained on hidden tokens and knows no classes yet: train.start={loaded.run.path} goes on"
        )
    for name in ("abstain", "sure"):
        value = vars(measure)[name]
        if value is not None and not 0 < value <= 1:
            raise UsageError(f"--{name} is {value:g}: a share above 0, up to 1, would work")
    if measure.abstain is not None and measure.sure is not None:
        raise UsageError("--abstain gives the confidence and --sure finds it: one of them would work")


def ours(judged: Judged, found: list[str]) -> Record:
    """The scores of the model, and what only probabilities tell: nats a text and the expected calibration error."""
    sure = judged.probabilities.gather(1, judged.rows.labels[:, None]).clamp(min=1e-12).log()
    extra = {"loss": -float(sure.mean()), "calibration_error": calibration(judged.probabilities, judged.rows.labels)}
    return {**scored(judged.texts.labels, found), **extra}


def answered(loaded: LoadedClassifier, judged: Judged, measure: Measure) -> list[Listing]:
    """How many texts get an answer, and how many answers are right, above a confidence given or chosen on the validation texts."""
    if measure.abstain is None and measure.sure is None:
        return []
    least = measure.abstain if measure.abstain is not None else chosen(loaded, measure.sure or 1.0)
    confidence, found = judged.probabilities.max(1)
    kept = confidence >= least
    right = (found == judged.rows.labels)[kept].double()
    said = "none" if math.isinf(least) else f"{least:.4f}"
    row = (said, float(kept.double().mean()), float(right.mean()) if len(right) else "-")
    wanted = "" if measure.sure is None else f", for {measure.sure:.0%} of the answers to be right on the validation texts"
    return [Listing(f"abstaining below a confidence{wanted}", ("confidence", "answered", "right of these"), (row,))]


def chosen(loaded: LoadedClassifier, wanted: float) -> float:
    """The least confidence above which so many answers are right on the validation texts."""
    judged = judge(loaded, loaded.corpus().part("validation"))
    confidence, found = judged.probabilities.max(1)
    return threshold_for(confidence, (found == judged.rows.labels).double(), wanted)


def protocol(loaded: LoadedClassifier, name: str, split: str, part: str, rows: Rows) -> str:
    """What was measured, in words."""
    cut = f"; {rows.cut:,} longer than {loaded.model.context} tokens read by {HOW[loaded.spec.texts.keep]}" if rows.cut else ""
    return f"{part} of {name} ({split}): {len(rows):,} texts{cut}; the baseline learnt from the run's training texts"


def told(loaded: LoadedClassifier, texts: Texts) -> list[str]:
    """The class of every text by name."""
    return [loaded.model.labels[i] for i in judge(loaded, texts).logits.argmax(1).tolist()]


@torch.inference_mode()
def judge(loaded: LoadedClassifier, texts: Texts) -> Judged:
    """The scores of every class for every text, in the order of the texts."""
    rows = loaded.rows(texts)
    found = torch.zeros(len(rows), len(loaded.model.labels))
    for places, batch in every(rows, loaded.spec.train.eval_batch):
        ids, lengths, *_ = moved(batch, loaded.device)
        found[places] = loaded.model(ids, lengths=lengths).logits.float().cpu()
    return Judged(texts, rows, found, loaded.temperature)
