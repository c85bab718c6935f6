"""What a model is that describes pictures: all texts at once to learn, token by token to write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from heedful.errors import UsageError
from heedful.layers.trace import Trace
from heedful.models.seq2seq.sequence import Writing
from heedful.models.vision.picture_model import PictureModel
from heedful.spec.captioner import CaptionSpec


class CaptionOutput(NamedTuple):
    """Scores of what follows each token, the loss where labels were given, and with `trace` where each token looked.

    `traces` hold weights (b * k, h, t, places), one a layer that reads the picture, its places in reading order.
    """

    logits: Float[Tensor, "b k t v"]
    loss: Float[Tensor, ""] | None = None
    traces: tuple[Trace, ...] = ()


class Captioning(PictureModel, ABC):
    """Reads pictures (b, c, h, w) and k texts of each; `mark` stands between a question and its answer, and ends the answer."""

    def __init__(self, spec: CaptionSpec) -> None:
        if spec.vocabulary < 1:
            raise UsageError(f"model.vocabulary is {spec.vocabulary}: a model needs the tokenizer's size")
        super().__init__(spec, classes=0)
        self.vocabulary, self.mark, self.side = spec.vocabulary, spec.vocabulary, spec.side

    @abstractmethod
    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        ids: Int[Tensor, "b k t"],
        *,
        labels: Int[Tensor, "b k t"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> CaptionOutput:
        """Logits of what follows each token of each text; `labels` are those, -100 where they do not count."""

    @abstractmethod
    def begin(self, x: Float[Tensor, "b c h w"], asked: Int[Tensor, "b p"]) -> Writing:
        """The pictures and a question of each read (p may be 0), and nothing written: the mark comes first."""

    @abstractmethod
    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits of what follows one more token of each text; `writing` goes on in place."""
