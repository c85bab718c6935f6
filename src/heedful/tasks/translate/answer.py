"""One text written for another: token by token where it is drawn or greedy, whole where it is searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import final

import torch

from heedful.data.tokens.word import Words
from heedful.errors import UsageError
from heedful.models.seq2seq.search import Hypothesis
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.task import Asked, Record
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.writing import room, said, searched, source_of, stepwise


@final
class Translated:
    """What a text becomes.

    Errors: `UsageError` for an empty text.
    """

    prompt = ""

    def __init__(self, loaded: LoadedSeq2Seq, text: str, asked: Asked, seed: int | None) -> None:
        self.loaded, self.text, self.asked, self.seed = loaded, text, asked, seed
        self.source, self.cut = source_of(loaded, text)
        self.made: list[tuple[int, float]] = []

    @property
    def streams(self) -> bool:
        """Whether its tokens are final as they come."""
        return self.seed is not None or self.asked.search.beams == 1 or self.asked.sampling.temperature == 0

    @cached_property
    def hypotheses(self) -> list[Hypothesis]:
        """The texts that were found, the best first."""
        if not self.streams:
            most = limited(self.asked.ending)
            return searched(self.loaded, [self.text], self.asked.search, most)[0]
        tokens = self.made or list(self.tokens())
        total = sum(log for _, log in tokens)
        return [Hypothesis([token for token, _ in tokens], total / max(1, len(tokens)), total)]

    def tokens(self) -> Iterator[tuple[int, float]]:
        """Tokens as they are drawn."""
        most = room(self.loaded, len(self.source), limited(self.asked.ending))
        return stepwise(self.loaded, self.source, most, self.asked.sampling, self.seed)

    def pieces(self) -> Iterator[str]:
        """The text, as it comes where it streams; words that may be unknown are known at the end only."""
        if not self.streams or isinstance(self.loaded.tokenizer, Words):
            yield self.said(self.hypotheses[0])
            return
        stream, begun = self.loaded.tokenizer.stream(), False
        for token in self.tokens():
            self.made.append(token)
            text = stream.push(token[0])
            text = text if begun else text.lstrip()
            begun = begun or bool(text)
            yield text
        yield stream.close()

    def said(self, found: Hypothesis) -> str:
        """The text of a hypothesis."""
        return said(self.loaded, self.text, self.source, found.ids)

    def record(self) -> Record:
        """The source, the text, what it is worth, the other texts found, how many tokens were read and written."""
        best = [
            {"text": self.said(one), "score": round(one.score, 6), "log_probability": round(one.log_probability, 6)}
            for one in self.hypotheses
        ]
        record = {"source": self.text, **best[0], "tokens": len(self.hypotheses[0].ids), "read": len(self.source) - 1, "cut": self.cut}
        return {**record, "best": best} if self.asked.search.best > 1 else record


def translations(loaded: LoadedSeq2Seq, inputs: Sequence[str], asked: Asked) -> Iterator[Translated]:
    """What each input becomes; of drawn ones the n-th is drawn from the seed plus n."""
    refuse(asked)
    drawn = (asked.search.sample or asked.sampling != Sampling()) and asked.sampling.temperature > 0
    first = asked.seed if asked.seed is not None else torch.Generator().seed() % 2**32
    return (Translated(loaded, text, asked, first + i if drawn else None) for i, text in enumerate(inputs))


def limited(ending: Ending) -> int | None:
    """The most tokens that were asked for; None where nothing was said."""
    return None if ending.max_tokens == Ending().max_tokens else ending.max_tokens


def refuse(asked: Asked) -> None:
    """Refuse what is for texts that go on."""
    usual = Ending(max_tokens=asked.ending.max_tokens)
    if asked.ending != usual:
        raise UsageError(
            "--stop, --window, --sinks and --no-cache are for texts that go on: a translation ends by itself, and --max-tokens bounds it"
        )
    if asked.ending.max_tokens < 1:
        raise UsageError(f"--max-tokens is {asked.ending.max_tokens}: 1 or more would work")
    if asked.search.best > 1 and (asked.search.sample or asked.sampling != Sampling()):
        raise UsageError("--best tells what a search found, and nothing is searched for where tokens are drawn: one of them would work")
