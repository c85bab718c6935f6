"""From a profile and prices to a knapsack: which heads take one option together, and what their options lose and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from heedful.manage.allocate.problem import Problem, Row
from heedful.manage.options.option import Option, Phase
from heedful.manage.plan import Spend
from heedful.manage.prices.prices import Prices
from heedful.manage.profile import Profile
from heedful.manage.site import Site

Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Units:
    """The rows of a profile that choose together, the layer of each unit, and which options each may take.

    A unit is a query head; where a cache is planned, the query heads that share a key/value head.
    """

    profile: Profile
    rows: tuple[tuple[int, ...], ...]
    layers: Int64[np.ndarray, " units"]
    allowed: Bool[np.ndarray, "units options"]

    @staticmethod
    def of(profile: Profile, phase: Phase, length: int, *, shared: bool) -> Units:
        """The units of a profile that is planned for a phase and a length; `shared`: those that share keys choose together."""
        groups: dict[tuple[int, int], list[int]] = {}
        for row, (site, head) in enumerate(profile.heads):
            groups.setdefault((site, profile.sites[site].group(head) if shared else head), []).append(row)
        rows = tuple(tuple(group) for group in groups.values())
        layers = np.array([site for site, _ in groups])
        usable = np.array([[useful(option, site, phase, length) for option in profile.parsed] for site in profile.sites])
        allowed = np.array([profile.offered[list(group)].all(0) for group in rows]) & usable[layers]
        return Units(profile, rows, layers, allowed)

    def losses(self, estimator: str) -> Float64[np.ndarray, "units options"]:
        """What each unit's options lose by one estimator: the sum over its heads."""
        table = self.profile.losses[estimator]
        return np.array([table[list(group)].sum(0) for group in self.rows])

    def problem(self, prices: Prices, limits: Mapping[str, float], estimator: str) -> Problem:
        """The knapsack."""
        rows = {resource: row(self, prices, resource, limit) for resource, limit in limits.items()}
        free = np.array([option.drops for option in self.profile.parsed])
        return Problem(self.losses(estimator), self.layers, rows, self.allowed, free=free)

    def names(self, choice: Int64[np.ndarray, " units"]) -> Names:
        """The options' names for each site and query head."""
        of_row = {row: self.profile.options[option] for group, option in zip(self.rows, choice, strict=True) for row in group}
        names = iter(of_row[row] for row in range(len(of_row)))
        return tuple(tuple(next(names) for _ in range(site.heads)) for site in self.profile.sites)

    def choice(self, names: Names) -> Int64[np.ndarray, " units"]:
        """The units' choice that has these names; that of its first head where a unit's heads differ."""
        flat = [name for site in names for name in site]
        return np.array([self.profile.options.index(flat[group[0]]) for group in self.rows])


def useful(option: Option, site: Site, phase: Phase, length: int) -> bool:
    """Whether an option means something at a site in a phase, and leaves anything out at that length."""
    if option.word == "full":
        return True
    if phase == "decode" and not site.causal:
        return False
    anyway = length if site.window is None else min(length, site.window)
    return phase in option.phases and (option.drops or option.kept(length) < anyway)


def row(units: Units, prices: Prices, resource: str, limit: float) -> Row:
    """What one resource costs: by heads and groups for milliseconds, by heads for operations, by key/value heads for bytes."""
    sites, options = units.profile.sites, units.profile.options
    table = [[prices.of(site, option) for option in options] for site in sites]
    openings, begins = np.zeros((len(sites), len(options))), None
    if resource == "milliseconds":
        each = np.array([[price.head for price in line] for line in table])
        openings = np.array([[price.group for price in line] for line in table])
        begins = np.array([max(price.layer for price in line) for line in table])
    elif resource == "operations":
        each = np.array([[price.operations for price in line] for line in table])
    else:
        return Row(np.array([[price.bytes for price in table[layer]] for layer in units.layers]), openings, limit)
    heads = np.array([len(group) for group in units.rows])
    return Row(each[units.layers] * heads[:, None], openings, limit, begins)


def spend(sites: tuple[Site, ...], choices: Names, prices: Prices) -> Spend:
    """What a plan takes; a key/value head keeps what the most demanding of its query heads needs."""
    total = {"milliseconds": 0.0, "operations": 0.0, "bytes": 0.0}
    for site, names in zip(sites, choices, strict=True):
        for name in dict.fromkeys(names):
            price, heads = prices.of(site, name), names.count(name)
            total["milliseconds"] += price.group + price.head * heads
            total["operations"] += price.operations * heads
        total["milliseconds"] += max(prices.of(site, name).layer for name in names)
        for shared in range(site.kv_heads):
            readers = [name for head, name in enumerate(names) if site.group(head) == shared]
            total["bytes"] += max(prices.of(site, name).bytes for name in readers)
    return Spend(**total)
