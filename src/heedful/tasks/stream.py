"""Tokens as a model makes them, one step each, however long the text grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from heedful.errors import ShapeError
from heedful.models.language_model import DecoderOutput, Decoding, LanguageModel
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.sampling import draw


class Made(NamedTuple):
    """One new token, and how surprising the model's own distribution found it, in nats."""

    token: int
    surprise: float


class Reader:
    """Feeds a model its text as it grows.

    Each layer keeps the last `window` tokens (the model's own reach unless given), so a step's cost stops growing. A model
    that can place only `limit` tokens begins anew with the latest half of them whenever they are used up.
    """

    def __init__(self, model: LanguageModel, ending: Ending) -> None:
        self.model, self.ending = model, ending
        self.window = ending.window or model.reach
        self.text = torch.empty(1, 0, dtype=torch.long, device=next(model.parameters()).device)
        self.cache = self.fresh()

    def fresh(self) -> Decoding:
        """An empty cache of the size that was asked for."""
        return self.model.new_cache(self.window, self.ending.sinks)

    def read(self, ids: Int[Tensor, "1 t"]) -> Float[Tensor, "1 v"]:
        """The logits of what follows `ids`, which follow all that was read before."""
        limit = self.model.limit
        self.text = torch.cat([self.text, ids], dim=1)
        if self.ending.no_cache:
            latest = self.text[:, -min(self.window, limit or self.window) :]
            return self.last(self.model(latest))
        if limit is not None and self.cache.length + ids.shape[1] > limit:
            self.text = self.text[:, -max(limit // 2, ids.shape[1]) :]
            self.cache, ids = self.fresh(), self.text
        return self.last(self.model(ids, cache=self.cache))

    @staticmethod
    def last(output: DecoderOutput) -> Float[Tensor, "1 v"]:
        """The logits after the last token."""
        return output.logits[:, -1]


@torch.inference_mode()
def stream(model: LanguageModel, prompt: Int[Tensor, " t"], sampling: Sampling, ending: Ending, generator: Generator) -> Iterator[Made]:
    """New tokens after `prompt` (at least one token), at most `ending.max_tokens`.

    Errors: `ShapeError` for a prompt longer than the places a model has, where it has a fixed number.
    """
    check_prompt(model, prompt)
    reader = Reader(model, ending)
    seen = fed = prompt[None]
    for _ in range(ending.max_tokens):
        logits = reader.read(fed)
        fed = draw(logits, seen, sampling, generator)[:, None]
        seen = torch.cat([seen, fed], dim=1)
        token = int(fed)
        yield Made(token, -float(logits.float().log_softmax(-1)[0, token]))


def check_prompt(model: LanguageModel, prompt: Int[Tensor, " t"]) -> None:
    """Refuse what the model cannot begin with."""
    if len(prompt) == 0:
        raise ShapeError("a continuation needs at least one token to follow: found an empty prompt")
    if model.limit is not None and len(prompt) > model.limit:
        raise ShapeError(f"the prompt has {len(prompt)} tokens, this model places at most {model.limit}: a shorter one would work")
