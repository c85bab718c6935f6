"""A text of tokens as a subject: every method's questions, answered by a reader of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from typing import Final, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Look, Looked, Subject
from heedful.manage.still import still
from heedful.tasks.explained import watching
from heedful.tasks.explained.feeding import embedding_of, fed
from heedful.tasks.explained.reader import Reader

AT_ONCE: Final = 16384  # tokens of a batch
UNSEEN: Final = "the model has no table of token embeddings: occlusion, shapley, or measured for a short text would work"

TWICE: Final = (
    "the answer and its contrast differ before their last tokens, so each takes a pass of its own: answers of one token would work"
)


@final
class Tokens(Subject):
    """The tokens `ids` (t,); each unit is one of them, or the places given for it (a word of several tokens).

    `names` are the units', `answer` and `contrast` what is asked in words. Places of no unit (a classifier's [CLS]) always stay.
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
    ) -> None:
        self.reader, self.ids, self.answer, self.contrast = reader, ids.to(reader.device), answer, contrast
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
            gone = torch.zeros(len(kept), len(self.ids), dtype=torch.bool)
            for unit, places in enumerate(self.places):
                gone[:, list(places)] = ~kept[:, unit, None]
            return self.blanked(gone.to(self.ids.device)) if way == "mask" else self.emptied(gone.to(self.ids.device))

    def shortened(self, kept: Bool[Tensor, "s n"]) -> Float[Tensor, " s"]:
        """Units cut out of the text; batches of rows of like length."""
        stays = torch.ones(len(kept), len(self.ids), dtype=torch.bool)
        for unit, places in enumerate(self.places):
            stays[:, list(places)] = kept[:, unit, None]
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
        return torch.cat([self.asked(self.ids.masked_fill(rows, self.reader.blank)) for rows in self.split(gone)])

    def emptied(self, gone: Bool[Tensor, "s t"]) -> Float[Tensor, " s"]:
        """Units whose vectors are those of nothing."""
        found = []
        for rows in self.split(gone):
            found.append(self.of_features(torch.where(rows[..., None], self.baseline, self.features)).double().cpu())
        return torch.cat(found)

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Rows as many at a time as a batch holds."""
        return torch.split(rows, 1 if self.reader.alone else max(1, AT_ONCE // len(self.ids)))

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
            with fed(self.embedding, self.reader.arranged(features)):
                return self.reader.log_probability(rows, lengths)

    @cached_property
    def passed(self) -> Looked:
        """One pass with its attention layers kept."""
        layers: list[Look] = []
        features = self.features.clone().requires_grad_()
        if self.watchable is not None:
            return Looked(self.of_features(features[None])[0], ())
        with watching.kept(self.reader.model, layers):
            score = self.of_features(features[None])[0]
        return Looked(score, tuple(layers))

    def looked(self) -> Looked:
        """A pass with every attention layer kept."""
        return self.passed

    @cached_property
    def reading(self) -> Float[Tensor, " t"]:
        """What the model says that it reads, or the share of the answer's gradient that each place of the last layer gets."""
        said = self.reader.read(self.ids)
        if said is not None:
            return said.detach().cpu()
        (gradient,) = torch.autograd.grad(self.passed.score, [self.passed.layers[-1].out], retain_graph=True)
        sizes = gradient[0].double().square().sum((0, 2)).sqrt().cpu()
        return sizes / sizes.sum().clamp(min=torch.finfo(sizes.dtype).tiny)

    @contextmanager
    def ruled(self, rules: Rules) -> Iterator[None]:
        """Within it backward passes follow other rules."""
        with watching.ruled(self.reader.model, rules, self.watchable is None):
            yield

    @torch.no_grad()
    def silenced(self, heads: Sequence[tuple[int, int]]) -> Float[Tensor, " s"]:
        """The log-probability of the answer without one head, for each of them."""
        most = 1 if self.reader.alone else max(1, AT_ONCE // len(self.ids))
        found = []
        with still(self.reader.model):
            for first in range(0, len(heads), most):
                some = heads[first : first + most]
                with watching.without(self.reader.model, some):
                    found.append(self.asked(self.ids.expand(len(some), -1)))
        return torch.cat(found)

    def randomised(self, seed: int) -> Tokens:
        """The same text under a model whose weights are drawn anew."""
        model = drawn(self.reader.model, seed)
        reader = replace(self.reader, model=model)
        return Tokens(reader, self.ids, self.names, self.answer, contrast=self.contrast, places=self.places)


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


def drawn(model: nn.Module, seed: int) -> nn.Module:
    """A copy of a model whose parameters are normal numbers of each one's own mean and spread."""
    generator = torch.Generator().manual_seed(seed)
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter in copy.parameters():
            spread = parameter.float().std() if parameter.numel() > 1 else parameter.new_zeros((), dtype=torch.float32)
            parameter.copy_(torch.randn(parameter.shape, generator=generator).to(parameter) * spread + parameter.float().mean())
    return copy
