"""Texts in which tokens are hidden to be guessed (Devlin et al. 2019, arXiv 1810.04805, §3.1): 15% of them, drawn anew each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.data.batches import Cursor, Share
from heedful.data.labelled.batches import Bucketed, TextBatch
from heedful.data.labelled.feed import TextFeed
from heedful.data.labelled.rows import Rows
from heedful.spec.train import TrainSpec

HIDDEN: Final = 0.15  # of the tokens are guessed
BLANK: Final = 0.8  # of those show nothing
OTHER: Final = 0.9  # up to here, of those show another token; the rest show their own


class MaskedBatch(NamedTuple):
    """Texts, which of their places show nothing, which are guessed (counted through all rows), and the true tokens there."""

    ids: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"]
    blank: Bool[Tensor, "b t"]
    places: Int[Tensor, " n"]
    labels: Int[Tensor, " n"]


def hidden(batch: TextBatch, vocabulary: int, generator: torch.Generator) -> MaskedBatch:
    """Hide tokens of the batch, one at least.

    >>> batch = TextBatch(torch.tensor([[5, 6, 7, 8]]), torch.tensor([4]), torch.tensor([0]))
    >>> found = hidden(batch, 9, torch.Generator().manual_seed(0))
    >>> bool((batch.ids.flatten()[found.places] == found.labels).all())
    True
    """
    ids, lengths = batch.ids, batch.lengths
    real = torch.arange(ids.shape[1]) < lengths[:, None]
    chance = torch.rand(ids.shape, generator=generator).masked_fill(~real, 2.0)
    chosen = (chance < HIDDEN) | (chance == chance.min())
    how = torch.rand(ids.shape, generator=generator)
    strange = torch.randint(vocabulary, ids.shape, generator=generator)
    shown = torch.where(chosen & (how >= BLANK) & (how < OTHER), strange, ids)
    places = chosen.flatten().nonzero().squeeze(1)
    return MaskedBatch(shown, lengths, chosen & (how < BLANK), places, ids.flatten()[places])


@final
class Masked:
    """Batches of similar lengths whose hidden tokens are drawn from the place in the epoch, so that a resumed run hides the same."""

    def __init__(self, source: Bucketed, vocabulary: int, seed: int) -> None:
        self.source, self.vocabulary, self.seed = source, vocabulary, seed

    @property
    def batches_an_epoch(self) -> float:
        """As many as there are of the texts."""
        return self.source.batches_an_epoch

    @property
    def tokens_a_batch(self) -> float:
        """Of a batch, padding left out, on average."""
        return self.source.tokens_a_batch

    def draw(self) -> MaskedBatch:
        """The next batch, some of its tokens hidden."""
        batch = self.source.draw()
        at = self.source.epoch * 1_000_003 + self.source.place
        return hidden(batch, self.vocabulary, torch.Generator().manual_seed(self.seed * 7_919 + at))

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return self.source.cursor()

    def seek(self, cursor: Cursor) -> None:
        """Go to the place."""
        self.source.seek(cursor)


@final
@dataclass(frozen=True)
class MaskedFeed:
    """Texts to learn a language from, their classes left aside."""

    train: Rows
    validation: Rows
    vocabulary: int

    def source(self, spec: TrainSpec, share: Share) -> Masked:
        """Batches of similar lengths, tokens hidden."""
        return Masked(TextFeed(self.train, self.validation).source(spec, share), self.vocabulary, spec.seed + share.rank)

    def judged(self, spec: TrainSpec) -> Iterator[MaskedBatch]:
        """Every validation text once, the same tokens hidden each time."""
        generator = torch.Generator().manual_seed(0)
        return (hidden(batch, self.vocabulary, generator) for batch in TextFeed(self.train, self.validation).judged(spec))

    def fingerprint(self) -> str:
        """That of the texts."""
        return TextFeed(self.train, self.validation).fingerprint()
