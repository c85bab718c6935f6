"""What writes: tokens one after the other, each looking at what was heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.trace import Trace
from heedful.models.seq2seq.sequence import Writing


class Spelt(NamedTuple):
    """Scores of what follows each token, how much each read of each frame (mean over layers and heads), and the weights themselves."""

    logits: Float[Tensor, "b t v"]
    alignment: Float[Tensor, "b t s"]
    traces: tuple[Trace, ...]


class Speller(nn.Module, ABC):
    """Writes over a vocabulary of v tokens, the mark among them."""

    @abstractmethod
    def forward(self, ids: Int[Tensor, "b t"], memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"], trace: bool = False) -> Spelt:
        """All steps, the right tokens given; `lengths` says how many frames of each memory are not padding."""

    @abstractmethod
    def begin(self, memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> Writing:
        """Nothing written yet."""

    @abstractmethod
    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The scores after one more token of each row."""
