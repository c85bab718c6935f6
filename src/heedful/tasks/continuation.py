"""A prompt and the text a model makes after it, shown as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens import Tokenizer
from heedful.errors import UsageError
from heedful.tasks.loading import Loaded
from heedful.tasks.stopping import Stopper
from heedful.tasks.stream import Made, check_prompt, stream
from heedful.tasks.task import Asked, Record


@final
class Continuation:
    """The text after `prompt`; an empty prompt begins after a line's end, where texts begin.

    Errors: `UsageError` for a prompt that the vocabulary cannot say, `ShapeError` for one that is too long.
    """

    def __init__(self, loaded: Loaded, prompt: str, asked: Asked, seed: int) -> None:
        self.loaded, self.prompt, self.asked, self.seed = loaded, prompt, asked, seed
        self.given = opening(loaded.tokenizer, prompt)
        check_prompt(loaded.model, self.given)
        self.made: list[Made] = []
        self.text = ""
        self.ended = ""

    def pieces(self) -> Iterator[str]:
        """The text as it is made, up to a stop string or the most tokens asked for."""
        asked, stopper = self.asked, Stopper(self.asked.ending.stop)
        decoder = self.loaded.tokenizer.stream()
        generator = torch.Generator(self.loaded.device).manual_seed(self.seed)
        for made in stream(self.loaded.model, self.given.to(self.loaded.device), asked.sampling, asked.ending, generator):
            self.made.append(made)
            yield from self.shown(stopper.push(decoder.push(made.token)))
            if stopper.stopped:
                break
        else:
            yield from self.shown(stopper.push(decoder.close()) + stopper.close())
        self.ended = "stop" if stopper.stopped else "length"

    def shown(self, piece: str) -> Iterator[str]:
        """A piece that is not empty."""
        if piece:
            self.text += piece
            yield piece

    def record(self) -> Record:
        """Prompt, text, how many tokens, how surprising they were (nats a token), why it ended, and the seed that repeats it."""
        if not self.ended:
            for _ in self.pieces():
                pass
        surprise = sum(made.surprise for made in self.made) / len(self.made) if self.made else None
        counts = {"prompt_tokens": len(self.given), "tokens": len(self.made), "surprise": surprise}
        return {"prompt": self.prompt, "text": self.text, **counts, "ended": self.ended, "seed": self.seed}


def opening(tokenizer: Tokenizer, prompt: str) -> Int[Tensor, " t"]:
    """The tokens of the prompt; where it has none, a line's end, or whatever token comes first."""
    ids = tokenizer.encode(prompt)
    if len(ids):
        return ids
    try:
        ids = tokenizer.encode("\n")
    except UsageError:
        ids = torch.zeros(1, dtype=torch.long)
    return ids if len(ids) else torch.zeros(1, dtype=torch.long)
