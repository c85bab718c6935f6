"""A run that describes pictures, kept open: what it wrote, and where in the picture each token of it looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from heedful.data.images.decode import decoded
from heedful.data.images.pictures import channelled
from heedful.explanations.subject import Subject
from heedful.layers.attention import AttentionLayer
from heedful.models.caption.captioner import Captioner
from heedful.tasks.caption.answer import Captioned
from heedful.tasks.caption.loading import load_captioner
from heedful.tasks.caption.writing import looked
from heedful.tasks.explained.described import of_caption
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.task import Answer, Asked, Record
from heedful.tasks.translate.units import END
from heedful.web.reading import Laid, Map, Reading
from heedful.web.runs.muting import across
from heedful.web.runs.pictures import nobodys
from heedful.web.runs.run import ByHand, Kind, Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.way import Way, brought
from heedful.web.runs.why import ACROSS, UNSEEN


@final
class Describing(Way):
    """A model of captions."""

    takes: Kind = "file"
    by_hand: ByHand | None = "draw"

    def __init__(self, path: Path) -> None:
        self.loaded = load_captioner(path)
        self.model = self.loaded.model
        self.methods = ACROSS if isinstance(self.model, Captioner) else UNSEEN

    @property
    def heads(self) -> Sequence[AttentionLayer]:
        """The layers that look from what is written to the picture."""
        model = self.loaded.model
        return across(model.blocks) if isinstance(model, Captioner) else []

    def facts(self) -> Record:
        """Sizes."""
        model = self.loaded.model
        return {"size": model.size, "channels": model.channels, "context": model.context, **sizes(model)}

    def answer(self, text: str, asked: Asked) -> Answer:
        """What is said of the picture at a path."""
        return self.said(next(iter(inputs([text], self.loaded.model.size, self.loaded.model.channels, nobodys))), asked)

    def said(self, picture: Input, asked: Asked) -> Captioned:
        """What is said of a picture, by searching."""
        return Captioned(self.loaded, picture, asked, None)

    def captioned(self, wanted: Wanted) -> Captioned:
        """What is said of a picture that was brought."""
        file, model = brought(wanted, "picture"), self.loaded.model
        pixels = channelled(decoded(file.content, file.name, model.size)[None], model.channels)[0]
        return self.said(Input(file.name, pixels), Asked())

    def reading(self, wanted: Wanted) -> Reading:
        """What was written, and the weights of every head over the picture."""
        answer = self.captioned(wanted)
        best, pixels = answer.hypotheses[0], answer.picture.pixels
        maps = tuple(Map(name, weights, 0, 1) for name, weights in looked(self.loaded, pixels, answer.ids, best.ids))
        side = self.loaded.model.side
        cells = [f"{i // side + 1}·{i % side + 1}" for i in range(side**2)]
        written = [*(self.loaded.tokenizer.show(i) for i in best.ids), END]
        return Reading(answer.record(), (written, cells), maps, aligned=True, laid=Laid(pixels, side, 1))

    def subject(self, wanted: Wanted) -> Subject:
        """All that was written."""
        return of_caption(self.captioned(wanted))
