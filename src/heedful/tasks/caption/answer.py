"""What is said of one picture, or answered to a question about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import final

import torch

from heedful.data.captions.grammar import Said
from heedful.models.seq2seq.search import Hypothesis
from heedful.spec.generation import Sampling
from heedful.tasks.caption.loading import LoadedCaptioner
from heedful.tasks.caption.writing import question_ids, room, searched, stepwise
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.task import Asked, Record
from heedful.tasks.translate.answer import limited, refuse


@final
class Captioned:
    """The text for one picture.

    Errors: `DataError` for a question that leaves no room for an answer.
    """

    prompt = ""

    def __init__(self, loaded: LoadedCaptioner, picture: Input, asked: Asked, seed: int | None) -> None:
        self.loaded, self.picture, self.asked, self.seed = loaded, picture, asked, seed
        self.question = asked.question or ""
        self.ids = question_ids(loaded, self.question)

    @cached_property
    def hypotheses(self) -> list[Hypothesis]:
        """The texts that were found, the best first."""
        most = limited(self.asked.ending)
        if self.seed is None and self.asked.search.beams > 1 and self.asked.sampling.temperature > 0:
            return searched(self.loaded, self.picture.pixels[None], [self.question], self.asked.search, most)[0]
        free = room(self.loaded, len(self.ids), most)
        tokens = list(stepwise(self.loaded, self.picture.pixels, self.ids, free, self.asked.sampling, self.seed))
        total = sum(log for _, log in tokens)
        return [Hypothesis([token for token, _ in tokens], total / max(1, len(tokens)), total)]

    def said(self, found: Hypothesis) -> str:
        """The text of a hypothesis."""
        return self.loaded.tokenizer.decode(found.ids).strip()

    def pieces(self) -> Iterator[str]:
        """The text."""
        yield self.said(self.hypotheses[0])

    def record(self) -> Record:
        """The picture, the question if there was one, the text, what it is worth, and what is right, where that is known."""
        best = [
            {"text": self.said(one), "score": round(one.score, 6), "log_probability": round(one.log_probability, 6)}
            for one in self.hypotheses
        ]
        record: dict[str, object] = {"image": self.picture.name}
        if self.question:
            record["question"] = self.question
        record |= {**best[0], "tokens": len(self.hypotheses[0].ids)}
        if self.picture.label is not None and not self.question:
            record["truth"] = self.picture.label
        return {**record, "best": best} if self.asked.search.best > 1 else record


def captioned(loaded: LoadedCaptioner, words: Sequence[str], asked: Asked) -> Iterator[Captioned]:
    """The text for every picture that the words name; of drawn ones the n-th is drawn from the seed plus n."""
    refuse(asked)
    drawn = (asked.search.sample or asked.sampling != Sampling()) and asked.sampling.temperature > 0
    first = asked.seed if asked.seed is not None else torch.Generator().seed() % 2**32

    def own(part: str) -> list[Input]:
        found = loaded.captions(only=(part,)).parts[part]
        return [Input("", pixels, label(texts)) for pixels, texts in zip(found.pixels, found.texts, strict=True)]

    pictures = inputs(words, loaded.model.size, loaded.model.channels, own)
    return (Captioned(loaded, picture, asked, first + i if drawn else None) for i, picture in enumerate(pictures))


def label(texts: Sequence[Said]) -> str | None:
    """The caption of a picture, where it has one."""
    return next((said.answer for said in texts if not said.question), None)
