"""A classifier of pictures that is kept open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, final

import torch

from heedful.data.images.decode import decoded
from heedful.data.images.pictures import channelled
from heedful.errors import HeedfulError, UsageError
from heedful.manage.hosts.ours import layers
from heedful.models.vision.build import PictureClassifier, build_picture_classifier
from heedful.models.vision.picture_model import PictureOutput
from heedful.models.vision.transformer import VisionTransformer
from heedful.tasks.explained.seen import of_picture
from heedful.tasks.image.classes.answer import Classified
from heedful.tasks.image.classes.explained import explained
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.image.loading import LoadedPictures, load_pictures
from heedful.tasks.task import Asked, Explanation, Record, View
from heedful.web.reading import Laid, Map, Reading
from heedful.web.runs.muting import muted
from heedful.web.runs.planned import beside, chosen
from heedful.web.runs.run import ByHand, Kind, Reasons, Upload, Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.why import OF_TOKENS, UNSEEN, why

UNREAD: Final = "it convolves, and no layer of it attends over patches"


@final
class OpenPictures:
    """The class of pictures, many in one forward.

    Errors: those of loading a run and a plan.
    """

    task = "image"
    takes: Kind = "file"
    by_hand: ByHand | None = "draw"
    goes_on, reads = False, True

    def __init__(self, path: Path, plan: Path | None = None) -> None:
        self.path, self.loaded = path, load(path)
        self.planned = beside(load, path, plan)
        self.methods = OF_TOKENS if isinstance(self.model, VisionTransformer) else UNSEEN

    @property
    def model(self) -> PictureClassifier:
        """The model."""
        return self.loaded.model

    @cached_property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""
        return None if isinstance(self.model, VisionTransformer) and layers(self.model) else UNREAD

    @property
    def why_unplanned(self) -> str | None:
        """Whatever has heads can be planned."""
        return self.why_unread

    def facts(self) -> Record:
        """Classes and sizes."""
        drawn = {"size": self.model.size, "channels": self.model.channels}
        planned = self.planned is not None
        return {"labels": list(self.model.labels), **drawn, **sizes(self.model), "context": self.model.context, "planned": planned}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """The class of each picture, by its path; all that can be read in one forward."""
        found: dict[int, Record | HeedfulError] = {}
        open_: dict[int, Classified] = {}
        for i, path in enumerate(inputs):
            try:
                open_[i] = self.answer(path, asked)
            except HeedfulError as error:
                found[i] = error
        for i, logits in zip(open_, self.together(list(open_.values())), strict=True):
            found[i] = open_[i].told(PictureOutput(logits[None]))
        return [found[i] for i in range(len(inputs))]

    @torch.inference_mode()
    def together(self, answers: Sequence[Classified]) -> torch.Tensor:
        """The logits of several pictures."""
        if not answers:
            return torch.zeros(0, len(self.model.labels))
        found: PictureOutput = self.model(torch.cat([answer.x for answer in answers]))
        return found.logits

    def answer(self, text: str, asked: Asked) -> Classified:
        """The class of the picture at a path."""
        return Classified(self.loaded, next(iter(inputs([text], self.model.size, self.model.channels, nobodys))))

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """The class, and which places counted."""
        return explained(self.answer(text, asked), view)

    def read(self, wanted: Wanted) -> Reading:
        """The class, and the weights of every head over the patches."""
        picture, loaded = picture_of(wanted.file, self.model), chosen(wanted, self.loaded, self.planned, self.path)
        answer = Classified(loaded, picture)
        with muted(loaded.model, wanted.silent):
            output = answer.output(trace=True)
        record, maps = answer.told(output), tuple(Map(trace.name, trace.weights[0].float().cpu()) for trace in output.traces)
        if self.why_unread is not None:
            return Reading(record, ((),), (), laid=Laid(picture.pixels, 0))
        count = maps[0].weights.shape[-1]
        side = round(count**0.5)
        names = [f"{i // side + 1}·{i % side + 1}" for i in range(count)]
        counted = None if output.pooled is None else tuple(output.pooled[0].float().tolist())
        return Reading(record, (names,), maps, counted, silent=wanted.silent, laid=Laid(picture.pixels, side))

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each cell of the picture counted for the class."""
        pixels = picture_of(wanted.file, self.model).pixels
        model = chosen(wanted, self.loaded, self.planned, self.path).model
        with muted(model, wanted.silent):
            return why(self.path, of_picture(model, pixels), model, method)


def load(path: Path) -> LoadedPictures[PictureClassifier]:
    """A run's classifier."""
    return load_pictures(path, build_picture_classifier)


def picture_of(file: Upload | None, model: PictureClassifier) -> Input:
    """A picture that was brought, as a model reads it."""
    if file is None:
        raise UsageError("there is no picture: its file would work")
    return Input(file.name, channelled(decoded(file.content, file.name, model.size)[None], model.channels)[0])


def nobodys(part: str) -> Sequence[Input]:
    """A client names no picture of the run's own data."""
    raise UsageError(f"{part}: the pictures that the run learnt from are not served: a file would work")
