"""How well a classifier tells the classes of texts it has not learnt from, and how well counting words does."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.labelled.batches import every
from heedful.data.labelled.rows import Rows
from heedful.data.labelled.texts import Texts
from heedful.errors import DataError, UsageError
from heedful.tasks.classify.baseline import Baseline
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.tasks.classify.preparing import HOW
from heedful.tasks.classify.scoring import by_class, calibration, confusion, scored
from heedful.tasks.task import Evaluation, Measure, Record
from heedful.train.metrics import moved


class Judged(NamedTuple):
    """The texts of a part, as the model reads them and with what it says of each."""

    texts: Texts
    rows: Rows
    probabilities: Float[Tensor, "n c"]


def evaluate(loaded: LoadedClassifier, measure: Measure) -> Evaluation:
    """Accuracy and macro-F1 of a model and of the linear baseline on a part of the data, each class and the confusions besides."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token, and a classifier scores it whole: without it, it would work")
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
    found = [labels[i] for i in judged.probabilities.argmax(1).tolist()]
    baseline = Baseline(loaded.corpus().part("train"))
    rows: dict[str, Record] = {
        loaded.spec.model.kind: ours(judged, found),
        baseline.name: scored(texts.labels, baseline.predict(texts.texts)),
    }
    listings = (by_class(labels, texts.labels, found), confusion(labels, texts.labels, found))
    where = part if measure.data is None else f"{part} of {measure.data}"
    return Evaluation(where, protocol(loaded, corpus.name, corpus.split, part, judged.rows), rows, listings)


def ours(judged: Judged, found: list[str]) -> Record:
    """The scores of the model, and what only probabilities tell: nats a text and the expected calibration error."""
    sure = judged.probabilities.gather(1, judged.rows.labels[:, None]).clamp(min=1e-12).log()
    extra = {"loss": -float(sure.mean()), "calibration_error": calibration(judged.probabilities, judged.rows.labels)}
    return {**scored(judged.texts.labels, found), **extra}


def protocol(loaded: LoadedClassifier, name: str, split: str, part: str, rows: Rows) -> str:
    """What was measured, in words."""
    cut = f"; {rows.cut:,} longer than {loaded.model.context} tokens read by {HOW[loaded.spec.texts.keep]}" if rows.cut else ""
    return f"{part} of {name} ({split}): {len(rows):,} texts{cut}; the baseline learnt from the run's training texts"


@torch.inference_mode()
def judge(loaded: LoadedClassifier, texts: Texts) -> Judged:
    """The probability of every class for every text, in the order of the texts."""
    rows = loaded.rows(texts)
    found = torch.zeros(len(rows), len(loaded.model.labels))
    for places, batch in every(rows, loaded.spec.train.eval_batch):
        ids, lengths, _ = moved(batch, loaded.device)
        found[places] = loaded.model(ids, lengths=lengths).logits.float().softmax(1).cpu()
    return Judged(texts, rows, found)
