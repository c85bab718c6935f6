"""How a model of tokens is asked for one answer, whatever kind of model it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.trace import Trace
from heedful.manage.site import Site
from heedful.models.classifier import Classifier
from heedful.models.recurrent import RecurrentLM
from heedful.models.windows import windows_of
from heedful.tasks.explained.watching import Named, named


@dataclass(frozen=True, eq=False)
class Reader(ABC):
    """A model and one answer of it.

    `empty` is the token that stands where nothing is left, `blank` the one that stands for a missing one (None: there is none).
    `even` says that rows of a batch must have the same length, `alone` that there may be only one.
    """

    model: nn.Module
    empty: int
    blank: int | None

    even: bool = False
    alone: bool = False

    @property
    def twice(self) -> bool:
        """Whether answer and contrast take a pass each, so that no one pass shows what was attended to."""
        return False

    @abstractmethod
    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the answer, less that of the contrast where there is one; what is beyond a row's length changes nothing."""

    def read(self, ids: Int[Tensor, " t"]) -> Float[Tensor, " t"] | None:
        """How much the answer reads of each place behind the last layer, where the model says so itself."""
        return None

    def apart(self, ids: Int[Tensor, " t"]) -> str | None:
        """Why its layers do not see the whole text at once; None where they do."""
        return None

    def arranged(self, features: Float[Tensor, "b t m"]) -> tuple[Float[Tensor, "w c m"], ...]:
        """Features of whole texts as the model's embedding is asked for them, call by call."""
        return (features,)

    def named(self, site: Site) -> Named:
        """What readers call an attention layer, and which streams it is of."""
        return named(site)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device


@final
@dataclass(frozen=True, eq=False)
class ClassReader(Reader):
    """A classifier of ours, asked for one class; `temperature` divides its scores, as a calibrated run does."""

    target: int = 0
    contrast: int | None = None
    temperature: float = 1.0

    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the class."""
        return chosen(self.model(ids, lengths=lengths).logits / self.temperature, self.target, self.contrast)

    def apart(self, ids: Int[Tensor, " t"]) -> str | None:
        """A text longer than the context is read in windows."""
        assert isinstance(self.model, Classifier)
        split = len(ids) > self.model.context
        return (
            f"the text is read in windows of {self.model.context} tokens, each by itself: quick or measured would work" if split else None
        )

    def arranged(self, features: Float[Tensor, "b t m"]) -> tuple[Float[Tensor, "w c m"], ...]:
        """The same, cut into windows where the text is."""
        assert isinstance(self.model, Classifier)
        count, length = features.shape[:2]
        if length <= self.model.context:
            return (features,)
        places = torch.arange(count * length, device=features.device).view(count, length)
        full = torch.full((count,), length, device=features.device)
        return (features.flatten(0, 1)[windows_of(places, full, self.model.context).ids],)

    @torch.no_grad()
    def read(self, ids: Int[Tensor, " t"]) -> Float[Tensor, " t"] | None:
        """The pooling's weights."""
        assert isinstance(self.model, Classifier)
        pooled: Tensor | None = self.model(ids[None]).pooled
        return None if pooled is None or pooled.shape[1] != len(ids) else pooled[0]


@dataclass(frozen=True, eq=False)
class NextReader(Reader):
    """A model that continues a text, asked for what follows: `target` tokens, held against `contrast` where given."""

    target: tuple[int, ...] = ()
    contrast: tuple[int, ...] = ()

    @abstractmethod
    def logits(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """What the model says of each place."""

    @property
    def twice(self) -> bool:
        """Answers that differ before their last tokens take a pass each."""
        return bool(self.contrast) and self.target[:-1] != self.contrast[:-1]

    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the target after each row, all its tokens together."""
        longer, places = continued(ids, lengths, self.target)
        logits = self.logits(longer)
        found = gathered(logits, places, self.target)
        if not self.contrast:
            return found
        if self.twice:
            longer, places = continued(ids, lengths, self.contrast)
            logits = self.logits(longer)
        return found - gathered(logits, places, self.contrast)


@final
@dataclass(frozen=True, eq=False)
class WordReader(NextReader):
    """A language model of ours."""

    def logits(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """What the model says of each place."""
        found: Tensor = self.model(ids).logits
        return found

    @torch.no_grad()
    def read(self, ids: Int[Tensor, " t"]) -> Float[Tensor, " t"] | None:
        """Of a recurrent model what its attention reads at the last place; others are looked into."""
        if not isinstance(self.model, RecurrentLM):
            return None
        traces: tuple[Trace, ...] = self.model(ids[None], trace=True).traces
        return traces[0].weights[0, :, -1].mean(0) if traces else None


def chosen(logits: Float[Tensor, "b c"], target: int, contrast: int | None) -> Float[Tensor, " b"]:
    """The log-probability of a class, or how much likelier it is than another."""
    found = logits.float().log_softmax(-1) if logits.dtype != torch.float64 else logits.log_softmax(-1)
    return found[:, target] if contrast is None else found[:, target] - found[:, contrast]


def continued(ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"], answer: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Each row with all but the last token of an answer behind it, and the places (b, answer) that foretell its tokens."""
    room = torch.zeros(len(ids), len(answer) - 1, dtype=ids.dtype, device=ids.device)
    longer = torch.cat([ids, room], dim=1)
    places = lengths[:, None].to(ids.device) - 1 + torch.arange(len(answer), device=ids.device)
    if len(answer) > 1:
        tokens = torch.tensor(answer[:-1], device=ids.device).expand(len(ids), -1)
        longer = longer.scatter(1, places[:, 1:], tokens)
    return longer, places


def gathered(logits: Float[Tensor, "b t v"], places: Int[Tensor, "b a"], answer: tuple[int, ...]) -> Float[Tensor, " b"]:
    """The sum of the log-probabilities of an answer's tokens."""
    rows = torch.arange(len(logits), device=logits.device)[:, None]
    at = logits[rows, places]
    at = at if at.dtype == torch.float64 else at.float()
    tokens = torch.tensor(answer, device=logits.device).expand(len(logits), -1)
    return at.log_softmax(-1).gather(2, tokens[..., None]).squeeze(-1).sum(1)
