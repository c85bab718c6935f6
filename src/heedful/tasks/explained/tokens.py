"""A text of tokens as a subject: every method's questions, answered by a reader of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.site import Site
from heedful.manage.still import still
from heedful.tasks.explained import watching
from heedful.tasks.explained.feeding import embedding_of, fed
from heedful.tasks.explained.modelled import AT_ONCE, Modelled
from heedful.tasks.explained.reader import Reader
from heedful.tasks.explained.watching import Named

UNSEEN: Final = "the model has no table of token embeddings: occlusion, shapley, or measured for a short text would work"

TWICE: Final = (
    "the answer and its contrast differ before their last tokens, so each takes a pass of its own: answers of one token would work"
)


@final
class Tokens(Modelled):
    """The tokens `ids` (t,); each unit is one of them, or the places given for it (a word of several tokens).

    `names` are the units', `answer` and `contrast` what is asked in words, `parts` the texts that the units are of, one after the other.
    Places of no unit (a classifier's [CLS]) always stay.
    """

    def __init__(
        self,
        reader: Reader,
        ids: Int[Tensor, " t"],
        names: Sequence[str],
        answer: str,
        *,
        contrast: str | None = None,
        places: Sequence[tuple[int, ...]] | None = None,
        parts: Sequence[tuple[str, int]] = (),
    ) -> None:
        self.reader, self.ids, self.answer, self.contrast = reader, ids.to(reader.device), answer, contrast
        self.model, self.parts = reader.model, tuple(parts)
        self.names = tuple(names)
        self.places = tuple((i,) for i in range(len(ids))) if places is None else tuple(places)
        if not self.names or len(self.names) != len(self.places):
            raise UsageError(
                f"there is nothing to explain: {len(self.places)} units, {len(self.names)} names; a text with a word would work"
            )
        self.embedding = embedding_of(reader.model)
        self.no_gradients = None if self.embedding is not None else UNSEEN
        self.no_layers = reader.apart(self.ids)
        self.watchable = self.no_layers or watching.unwatched(reader.model)
        self.no_attention = (
            TWICE if reader.twice else None if self.watchable is None or reader.read(self.ids) is not None else self.watchable
        )
        blank = () if reader.blank is None else ("mask",)
        self.replacements = ("delete", *blank, *(() if self.embedding is None else ("baseline",)))

    @torch.no_grad()
    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the answer where only some of the units are left."""
        way = replacement or self.replacements[0]
        if way not in self.replacements:
            raise UsageError(f"replacement {way!r}: this model and tokenizer have {', '.join(self.replacements)}")
        with still(self.reader.model):
            if way == "delete":
                return self.shortened(kept)
            gone = self.places_of(kept)
            return self.blanked(gone.to(self.ids.device)) if way == "mask" else self.of_gone(gone, self.baseline)

    def shortened(self, kept: Bool[Tensor, "s n"]) -> Float[Tensor, " s"]:
        """Units cut out of the text; batches of rows of like length."""
        stays = ~self.places_of(kept)
        lengths = stays.sum(1)
        found = torch.zeros(len(kept), dtype=torch.float64)
        for rows in batches(lengths, self.reader.even, self.reader.alone):
            texts = [self.ids[stays[row].to(self.ids.device)] for row in rows.tolist()]
            texts = [text if len(text) else self.ids.new_full((1,), self.reader.empty) for text in texts]
            sizes = torch.tensor([len(text) for text in texts], device=self.ids.device)
            padded = nn.utils.rnn.pad_sequence(texts, batch_first=True)
            found[rows] = self.reader.log_probability(padded, sizes).double().cpu()
        return found

    def blanked(self, gone: Bool[Tensor, "s t"]) -> Float[Tensor, " s"]:
        """Units replaced by the token that stands for a missing one."""
        assert self.reader.blank is not None
        return torch.cat([self.asked(self.ids.masked_fill(rows, self.reader.blank)) for rows in torch.split(gone, self.at_once)])

    @property
    def length(self) -> int:
        """How many tokens."""
        return len(self.ids)

    @property
    def at_once(self) -> int:
        """How many rows a batch may have."""
        return 1 if self.reader.alone else max(1, AT_ONCE // len(self.ids))

    def asked(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, " b"]:
        """The log-probability for whole rows."""
        return self.reader.log_probability(ids, torch.full((len(ids),), ids.shape[1], device=ids.device)).double().cpu()

    @cached_property
    def features(self) -> Float[Tensor, "t m"]:
        """The tokens' embeddings."""
        assert self.embedding is not None
        found: Tensor = self.embedding(self.ids[None])[0].detach()
        return found

    @cached_property
    def baseline(self) -> Float[Tensor, "t m"]:
        """The mean of all embeddings at the places of units, what stands there elsewhere."""
        assert self.embedding is not None
        own = torch.zeros(len(self.ids), 1, dtype=torch.bool, device=self.ids.device)
        own[[place for places in self.places for place in places]] = True
        return torch.where(own, mean_of(self.embedding).to(self.features), self.features)

    def of_features(self, features: Float[Tensor, "b t m"]) -> Float[Tensor, " b"]:
        """The log-probability of the answer as a function of the embeddings."""
        assert self.embedding is not None
        rows = self.ids.expand(len(features), -1)
        lengths = torch.full((len(rows),), rows.shape[1], device=rows.device)
        with still(self.reader.model):
            if self.reader.alone and len(rows) > 1:
                return torch.cat([self.of_features(row[None]) for row in features])
            with fed(self.embedding, *self.reader.arranged(features)):
                return self.reader.log_probability(rows, lengths)

    def named(self, site: Site) -> Named:
        """A layer as the reader calls it."""
        return self.reader.named(site)

    def told(self) -> Float[Tensor, " t"] | None:
        """What the model says that it reads."""
        return self.reader.read(self.ids)

    def again(self, model: nn.Module) -> Tokens:
        """The same text and answer under another model."""
        reader = replace(self.reader, model=model)
        return Tokens(reader, self.ids, self.names, self.answer, contrast=self.contrast, places=self.places, parts=self.parts)


@torch.no_grad()
def mean_of(embedding: nn.Module) -> Float[Tensor, " m"]:
    """The mean vector of a table, of what it gives rather than what it holds (Gemma's scales it)."""
    weight = embedding.get_parameter("weight")
    total = torch.zeros(weight.shape[1], dtype=torch.float64, device=weight.device)
    for some in torch.split(torch.arange(len(weight), device=weight.device), AT_ONCE):
        total += embedding(some[None])[0].double().sum(0)
    return total / len(weight)


def batches(lengths: Int[Tensor, " s"], even: bool, alone: bool) -> Iterator[Int[Tensor, " b"]]:
    """The rows in batches of like length; of the very same one where they must be `even`, one at a time where `alone`."""
    order = lengths.argsort(stable=True)
    at = 0
    while at < len(order):
        end = at + 1
        while end < len(order) and not alone and (end - at + 1) * max(1, int(lengths[order[end]])) <= AT_ONCE:
            if even and lengths[order[end]] != lengths[order[at]]:
                break
            end += 1
        yield order[at:end]
        at = end
