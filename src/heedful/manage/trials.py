"""Every option tried at one site on one batch: what it gives from the same queries, keys and values, beside what attention gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.merge import merge
from heedful.attention.resolve import Options
from heedful.attention.weightings.softmax import Softmax
from heedful.manage.options.eviction import Eviction
from heedful.manage.options.option import Option
from heedful.manage.rows import Rows
from heedful.manage.sample import Sample, pairwise, sample, spread, wide
from heedful.manage.seen import Seen
from heedful.manage.support import held, support

Partial = tuple[Float[Tensor, "b h n v"], Float[Tensor, "b h n"]]  # an output and its log-sum-exp


@final
@dataclass(frozen=True, eq=False)
class Given:
    """What one site computed for one batch, and what the loss made of it: only the queries from `first` on are looked at.

    Arguments:
        out: o (b, h, n, v); lse: log of the sum of exp(score) (b, h, n); g: the loss's gradient at o.
        together: whether a sequence has one loss for all its places, as a classifier's.
        prefill: where the cache evicts; None in a pass over the whole.
        queries: how many queries' weights are looked at one by one.
    """

    seen: Seen
    out: Float[Tensor, "b h n v"]
    lse: Float[Tensor, "b h n"]
    g: Float[Tensor, "b h n v"]
    together: bool = False
    prefill: int | None = None
    queries: int = 128

    @property
    def first(self) -> int:
        """The index of the first query that is looked at."""
        return self.seen.q.shape[2] - self.out.shape[2]

    @cached_property
    def real(self) -> Bool[Tensor, "b n"]:
        """The places on which the loss depends: padding is not among them."""
        return (self.g != 0).flatten(3).any(-1).any(1)

    @cached_property
    def sample(self) -> Sample:
        """The weights of a few of the queries; where the loss depends on few (a classifier's first), of those."""
        places = (self.real.any(0).nonzero().flatten() + self.first).tolist()
        few = 0 < len(places) <= self.queries
        return sample(self.seen, places if few else spread(self.first, self.seen.q.shape[2], self.queries))

    @cached_property
    def plain(self) -> bool:
        """Whether parts of the keys can be attended to by themselves and joined: softmax of scores of pairs, seen from behind."""
        options = self.seen.options
        added = [options.get(name) for name in ("bias", "position", "sink_logits")]
        softmax = options.get("weighting", "softmax")
        same = self.seen.q.shape[2] == self.seen.k.shape[2] and isinstance(self.seen.mask, Causal)
        return (
            same and pairwise(self.seen) and all(each is None for each in added) and (softmax == "softmax" or isinstance(softmax, Softmax))
        )

    @cached_property
    def found(self) -> dict[str, Tensor]:
        """What several trials need, found once: ranks of keys by the evidence they rest on, and what estimators keep."""
        return {}

    @cached_property
    def since(self) -> Partial:
        """Attention to the keys after the prefill alone."""
        assert self.prefill is not None
        q, k, v = (x[:, :, self.prefill :] for x in (self.seen.q, self.seen.k, self.seen.v))
        return self.part(q, k, v, causal=True)

    def part(self, q: Tensor, k: Tensor, v: Tensor, *, causal: bool) -> Partial:
        """Attention to some keys, with the site's options."""
        options: Options = {**self.seen.options, "mask": Causal() if causal else None}
        out, summary = attend(q, k, v, summaries=("lse",), **options)
        assert summary.lse is not None
        return out, summary.lse


@final
@dataclass(frozen=True, eq=False)
class Trial:
    """One option at one site: o^k and its log-sum-exp, for all heads."""

    given: Given
    option: Option
    changed: Float[Tensor, "b h n v"]
    lse: Float[Tensor, "b h n"]
    kept: Int[Tensor, "b g n"] | None = field(default=None, repr=False)

    @cached_property
    def delta(self) -> Float[Tensor, "b h n v"]:
        """o^k - o where the loss depends on it, 0 elsewhere."""
        return torch.where(self.given.real[:, None, :, None], wide(self.changed) - wide(self.given.out), 0.0)

    @cached_property
    def dropped(self) -> Float[Tensor, "b h n"]:
        """The share of each query's weight that falls on keys the option takes away; 0 for places the loss does not depend on."""
        share = 1.0 - torch.exp((self.lse - self.given.lse).nan_to_num(nan=0.0)).clamp(0.0, 1.0)
        return torch.where(self.given.real[:, None], wide(share), 0.0)

    @cached_property
    def hidden(self) -> Bool[Tensor, "#b #h s k"]:
        """Which keys the option takes from the sampled queries."""
        seen, sampled = self.given.seen, self.given.sample
        if self.option.drops:
            return torch.ones_like(sampled.visible)
        if self.kept is None:
            return sampled.hidden(support(seen, self.option, self.given.prefill))
        assert self.given.prefill is not None
        before = torch.arange(seen.k.shape[2], device=seen.k.device) < self.given.prefill
        return (before & ~held(seen, self.kept))[:, :, None]


def trials(given: Given, options: Sequence[Option]) -> Iterator[Trial]:
    """The options one after another, without gradients."""
    for option in options:
        with torch.no_grad():
            trial = tried(given, option)
        yield trial


def tried(given: Given, option: Option) -> Trial:
    """One option: what is known already, or by parts, or under its mask."""
    if option.drops:
        return Trial(given, option, torch.zeros_like(given.out), torch.full_like(given.lse, -torch.inf))
    if given.prefill is not None and isinstance(option, Eviction) and option.size < given.prefill < given.seen.k.shape[2] and given.plain:
        return by_parts(given, option, given.prefill)
    mask = support(given.seen, option, given.prefill)
    if mask is None:
        return Trial(given, option, given.out, given.lse)
    if given.first:
        mask = mask & Rows(given.first + given.seen.k.shape[2] - given.seen.q.shape[2], given.seen.k.shape[2])
    out, summary = given.seen.attend(mask, summaries=("lse",))
    return Trial(given, option, out[:, :, given.first :], summary.lse[:, :, given.first :])


def by_parts(given: Given, option: Eviction, prefill: int) -> Trial:
    """What an eviction leaves: the kept keys gathered, and the later ones, which are the same for every option."""
    seen = given.seen
    if option.evidence not in given.found:
        given.found[option.evidence] = option.ranks(seen, prefill)
    kept = option.choose(seen, prefill, given.found[option.evidence])
    k, v = (x.gather(2, kept[..., None].expand(-1, -1, -1, x.shape[3])) for x in (seen.k, seen.v))
    before = given.part(seen.q[:, :, prefill:], k, v, causal=False)
    outs, lses = zip(before, given.since, strict=True)
    out, lse = merge(outs, lses)
    return Trial(given, option, out, lse, kept)
