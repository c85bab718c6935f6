"""Where the numbers come from when nobody trained anything: random vectors, the same for the same word."""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple, Protocol, final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.tasks.look.words import words

HEADS: Final = 4
WIDTH: Final = 64


class Projected(NamedTuple):
    """Queries (1, h, q, d), keys and values (1, g, k, d)."""

    q: Float[Tensor, "1 h q d"]
    k: Float[Tensor, "1 g k d"]
    v: Float[Tensor, "1 g k d"]


class Vectors(Protocol):
    """What turns a sentence into tokens, tokens into a stream, and streams into queries, keys and values."""

    origin: str

    def tokens(self, sentence: str) -> list[str]:
        """The tokens of a sentence, as they are shown."""
        ...

    def stream(self, sentence: str) -> Float[Tensor, "1 t m"]:
        """One vector a token."""
        ...

    def project(self, x: Float[Tensor, "1 q m"], context: Float[Tensor, "1 k m"]) -> Projected:
        """Queries of `x`, keys and values of `context`."""
        ...


@final
class RandomVectors:
    """Words of standard normal vectors, 64 wide, under random projections to four heads.

    >>> RandomVectors(seed=0).stream("I love to read books.").shape
    torch.Size([1, 6, 64])
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.origin = f"random vectors and weights (seed {seed}): nothing here was learnt"
        made = generator(seed, "projections")
        self.weights = torch.randn(3, WIDTH, WIDTH, generator=made) * WIDTH**-0.5

    def tokens(self, sentence: str) -> list[str]:
        """Its words."""
        return words(sentence)

    def stream(self, sentence: str) -> Float[Tensor, "1 t m"]:
        """One vector a word; equal words have equal vectors, in every sentence."""
        return torch.stack([torch.randn(WIDTH, generator=generator(self.seed, word)) for word in words(sentence)])[None]

    def project(self, x: Float[Tensor, "1 q m"], context: Float[Tensor, "1 k m"]) -> Projected:
        """Queries of `x`, keys and values of `context`, in heads."""
        q, k, v = (
            rearrange(of @ weight, "b t (h d) -> b h t d", h=HEADS) for of, weight in zip((x, context, context), self.weights, strict=True)
        )
        return Projected(q, k, v)


def generator(seed: int, name: str) -> torch.Generator:
    """Random numbers that belong to a name, whatever was drawn before."""
    return torch.Generator().manual_seed(number(seed, name))


def number(seed: int, name: str) -> int:
    """A seed for each name."""
    return zlib.crc32(f"{seed} {name}".encode())
