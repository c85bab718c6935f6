"""Why a picture is described so: a captioner as a reader, asked for a word of what it wrote, and the answer of `heedful explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.manage.site import Site
from heedful.tasks.caption.answer import Captioned
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.pictures import Picture, PictureReader
from heedful.tasks.explained.reader import gathered
from heedful.tasks.explained.tokens import TWICE
from heedful.tasks.explained.watching import Named, two_streams, unwatched
from heedful.tasks.explained.writing import Wanted, spoken, wanted_of
from heedful.tasks.task import Explanation, View


@final
@dataclass(frozen=True, eq=False)
class CaptionReader(PictureReader):
    """A model that writes of a picture, asked for the tokens `target` after `before`: a question, the mark and what is written."""

    before: tuple[int, ...] = ()
    target: tuple[int, ...] = ()
    contrast: tuple[int, ...] = ()

    def log_probability(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Of the answer's tokens together, less that of the contrast."""
        logits = self.logits(x, self.target)
        found = self.of_answer(logits, self.target)
        if not self.contrast:
            return found
        return found - self.of_answer(self.logits(x, self.contrast) if self.twice else logits, self.contrast)

    @property
    def twice(self) -> bool:
        """Whether answer and contrast take a pass each, because they differ before their last tokens."""
        return bool(self.contrast) and self.target[:-1] != self.contrast[:-1]

    def logits(self, x: Float[Tensor, "b c h w"], answer: tuple[int, ...]) -> Float[Tensor, "b t v"]:
        """What the model says of each place of a text that ends with an answer."""
        ids = torch.tensor([*self.before, *answer[:-1]], device=x.device).expand(len(x), -1)
        found: Tensor = self.model(x, ids[:, None]).logits[:, 0]
        return found

    def of_answer(self, logits: Float[Tensor, "b t v"], answer: tuple[int, ...]) -> Float[Tensor, " b"]:
        """The log-probability of some tokens."""
        places = len(self.before) - 1 + torch.arange(len(answer), device=logits.device)
        return gathered(logits, places.expand(len(logits), -1), answer)

    @property
    def watchable(self) -> str | None:
        """Attention over places, and from words to them; not where a contrast takes a pass of its own."""
        return TWICE if self.twice else unwatched(self.model)

    def named(self, site: Site) -> Named:
        """A layer over the places, over the words, or from these to those."""
        return two_streams(site, "reading")


def why_said(answer: Captioned, view: View) -> Explanation:
    """The text, or one of its words, with the cells of the picture that speak for and against it."""
    loaded, subject = answer.loaded, of_caption(answer, view.target, view.contrast)
    return answered(reasons(loaded.run.path, subject, loaded.model, view), view, answer.record(), [], f"{loaded.run.path}")


def of_caption(answer: Captioned, target: object = None, contrast: object = None) -> Picture:
    """Why these words were written: all of them unless one is given."""
    ids = tuple(answer.hypotheses[0].ids)
    if not ids:
        raise UsageError("nothing was written, so there is nothing to explain: another picture would work")
    return of_words(answer, ids, wanted_of(ids, answer.loaded.model.mark, answer.loaded.tokenizer, target, contrast))


def of_words(answer: Captioned, ids: tuple[int, ...], wanted: Wanted) -> Picture:
    """Why some of the tokens of a text were written after those before them."""
    model, tokenizer = answer.loaded.model, answer.loaded.tokenizer
    before = (*answer.ids.tolist(), model.mark, *ids[: wanted.first])
    reader = CaptionReader(model, model.side, before, wanted.target, wanted.contrast)
    said, against = (spoken(tokens, tokenizer, model.mark) for tokens in (wanted.target, wanted.contrast))
    return Picture(reader, answer.picture.pixels, said, against or None)
