"""How well a model tells the classes of pictures it has not learnt from, and how well one matrix on their pixels does."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.images.batches import ImageBatch, every
from heedful.errors import DataError
from heedful.models.vision.build import PictureClassifier
from heedful.tasks.classify.scoring import by_class, calibration, confusion, cooled, scored
from heedful.tasks.image.baseline import Linear
from heedful.tasks.image.classes.pasted import pointing
from heedful.tasks.image.classes.preparing import batch_of
from heedful.tasks.image.loading import LoadedPictures, refuse_words
from heedful.tasks.task import Evaluation, Listing, Measure, Record
from heedful.train.pictures import numbers


def evaluate(loaded: LoadedPictures[PictureClassifier], measure: Measure) -> Evaluation:
    """Accuracy and macro-F1 of a model and of ridge regression on a part of the data, each class and the confusions besides."""
    refuse_words(None, None, measure.stride)
    found, labels = loaded.pictures(measure.data), loaded.model.labels
    part = measure.split or ("validation" if measure.data is None else "whole")
    pictures = found.part(part)
    if not len(pictures):
        raise DataError(f"the {part} part of {found.name} has no pictures: --split train, validation, test or whole")
    strange = sorted(set(pictures.labels) - set(labels))
    if strange:
        raise DataError(
            f"{found.name} has classes that this model does not know: {', '.join(strange[:3])}; it knows {', '.join(labels[:12])}"
        )
    batch, learnt = batch_of(pictures, labels), batch_of(loaded.pictures().part("train"), labels)
    logits = judge(loaded, batch)
    probabilities = (logits / loaded.temperature).softmax(1)
    said = [labels[i] for i in probabilities.argmax(1).tolist()]
    linear = Linear(learnt.pixels, learnt.labels, len(labels))
    beside = [labels[i] for i in linear.predict(batch.pixels).tolist()]
    rows: dict[str, Record] = {
        loaded.spec.model.kind: ours(pictures.labels, said, probabilities, batch),
        linear.name: counted(scored(pictures.labels, beside)),
    }
    listings = tuple(named(each) for each in (by_class(labels, pictures.labels, said), confusion(labels, pictures.labels, said)))
    listings += tuple(cooled(logits, batch.labels, loaded.temperature, "pictures"))
    listings += (pointing(loaded, pictures),) if measure.pointing else ()
    where = part if measure.data is None else f"{part} of {measure.data}"
    protocol = f"{part} of {found.name} ({found.split}): {len(pictures):,} pictures; the baseline learnt from the run's training pictures"
    return Evaluation(where, protocol, rows, listings)


def ours(truth: tuple[str, ...], said: list[str], probabilities: Float[Tensor, "n c"], batch: ImageBatch) -> Record:
    """The scores of the model, and what only probabilities tell: nats a picture and the expected calibration error."""
    sure = probabilities.gather(1, batch.labels[:, None]).clamp(min=1e-12).log()
    return {**counted(scored(truth, said)), "loss": -float(sure.mean()), "calibration_error": calibration(probabilities, batch.labels)}


def counted(row: Record) -> Record:
    """The scores of classes, of pictures."""
    return {"images" if name == "texts" else name: value for name, value in row.items()}


def named(listing: Listing) -> Listing:
    """A table of classes, of pictures."""
    return Listing(listing.title, tuple("images" if name == "texts" else name for name in listing.head), listing.rows)


@torch.inference_mode()
def judge(loaded: LoadedPictures[PictureClassifier], batch: ImageBatch) -> Float[Tensor, "n c"]:
    """The score of every class for every picture."""
    parts = every(batch, loaded.spec.train.eval_batch)
    return torch.cat([loaded.model(numbers(some.pixels.to(loaded.device))).logits.double().cpu() for some in parts])
