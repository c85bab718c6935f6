"""The numbers of a trained run: its tokens, its embeddings, and what its first attention layer makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.errors import Unsupported
from heedful.layers.block import TransformerBlock
from heedful.models.decoder import Decoder
from heedful.models.recurrent import RecurrentLM
from heedful.tasks.loading import Loaded, load
from heedful.tasks.look.vectors import Projected, Vectors
from heedful.tasks.look.words import checked


def run_vectors(path: Path) -> Vectors:
    """The numbers of the run at `path`."""
    loaded = load(path)
    if isinstance(loaded.model, Decoder):
        return DecoderVectors(loaded, loaded.model)
    if isinstance(loaded.model, RecurrentLM):
        return RecurrentVectors(loaded, loaded.model)
    raise Unsupported(f"look reads transformers and recurrent language models: {path} holds {type(loaded.model).__name__}")


def origin(loaded: Loaded, part: str) -> str:
    """Where the numbers come from, in words."""
    return f"{part} of the run {loaded.run.path}; where a mechanism has parameters of its own, those are random"


def tokens(loaded: Loaded, sentence: str) -> list[str]:
    """The run's own tokens of a sentence."""
    return checked([loaded.tokenizer.show(int(i)) for i in loaded.tokenizer.encode(sentence)], sentence)


def ids(loaded: Loaded, sentence: str) -> Tensor:
    """The same as numbers (1, t)."""
    tokens(loaded, sentence)
    return loaded.tokenizer.encode(sentence)[None].to(loaded.device)


@final
class DecoderVectors:
    """What the first layer of a transformer reads, and its queries, keys and values."""

    def __init__(self, loaded: Loaded, model: Decoder) -> None:
        self.loaded, self.model = loaded, model
        first = model.layers[0]
        assert isinstance(first, TransformerBlock)
        self.layer = first
        self.origin = origin(loaded, "embeddings and first layer's projections")

    def tokens(self, sentence: str) -> list[str]:
        """The run's tokens."""
        return tokens(self.loaded, sentence)

    @torch.no_grad()
    def stream(self, sentence: str) -> Float[Tensor, "1 t m"]:
        """The normed embeddings."""
        normed: Tensor = self.layer.attention_norm(self.model.embedded(ids(self.loaded, sentence), 0))
        return normed.cpu()

    @torch.no_grad()
    def project(self, x: Float[Tensor, "1 q m"], context: Float[Tensor, "1 k m"]) -> Projected:
        """By the first layer's weights."""
        q, k, v = self.layer.attention.heads_for(x.to(self.loaded.device), context.to(self.loaded.device), None, None)
        return Projected(q.cpu(), k.cpu(), v.cpu())


@final
class RecurrentVectors:
    """The states of the last recurrent layer, which are queries, keys and values at once."""

    def __init__(self, loaded: Loaded, model: RecurrentLM) -> None:
        self.loaded, self.model = loaded, model
        self.origin = origin(loaded, "recurrent states")

    def tokens(self, sentence: str) -> list[str]:
        """The run's tokens."""
        return tokens(self.loaded, sentence)

    @torch.no_grad()
    def stream(self, sentence: str) -> Float[Tensor, "1 t m"]:
        """The state after each token."""
        states: Tensor = self.model.lstm(self.model.embedding(ids(self.loaded, sentence)))[0]
        return states.cpu()

    def project(self, x: Float[Tensor, "1 q m"], context: Float[Tensor, "1 k m"]) -> Projected:
        """One head, as wide as the state."""
        q, k = (rearrange(of, "b t m -> b 1 t m") for of in (x, context))
        return Projected(q, k, k)
