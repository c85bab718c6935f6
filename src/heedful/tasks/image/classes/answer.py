"""The class of one picture, and how sure the model may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

import torch

from heedful.models.vision.build import PictureClassifier
from heedful.models.vision.picture_model import PictureOutput
from heedful.tasks.image.inputs import Input
from heedful.tasks.image.loading import LoadedPictures
from heedful.tasks.task import Record
from heedful.train.pictures import numbers

TOP: Final = 5  # classes that are named with their probabilities


@final
class Classified:
    """The classes of a picture, the likeliest first."""

    prompt = ""

    def __init__(self, loaded: LoadedPictures[PictureClassifier], picture: Input) -> None:
        self.loaded, self.picture = loaded, picture
        self.x = numbers(picture.pixels[None].to(loaded.device))

    @torch.inference_mode()
    def output(self, trace: bool = False) -> PictureOutput:
        """What the model says of the picture, with `trace` also what each layer read."""
        found: PictureOutput = self.loaded.model(self.x, trace=trace)
        return found

    def pieces(self) -> Iterator[str]:
        """The class and its probability."""
        record = self.record()
        yield f"{record['label']} ({record['confidence']:.1%})"

    def record(self) -> Record:
        """The picture's name, its class, how sure that is, the likeliest classes, and the true one where it is known."""
        return self.told(self.output())

    def told(self, output: PictureOutput) -> Record:
        """The same from what the model said."""
        probabilities = (output.logits[0].float() / self.loaded.temperature).softmax(0)
        best = probabilities.topk(min(TOP, len(probabilities)))
        named = {self.loaded.model.labels[i]: round(p, 6) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)}
        label, confidence = next(iter(named.items()))
        known = {} if self.picture.label is None else {"truth": self.picture.label}
        return {"image": self.picture.name, "label": label, "confidence": confidence, "probabilities": named, **known}
