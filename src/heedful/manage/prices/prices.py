"""The prices of all options at all sites of a model, measured on this machine or read from what was measured before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from heedful.cost.device import Fingerprint, fingerprint
from heedful.manage.options.option import Option
from heedful.manage.prices import store
from heedful.manage.prices.measure import labelled, measured
from heedful.manage.prices.price import FREE, Kind, Point, Price, Start, line
from heedful.manage.prices.start import entered, started
from heedful.manage.prices.steps import together
from heedful.manage.prices.within import within
from heedful.manage.prices.work import Setting, label
from heedful.manage.site import Site


@dataclass(frozen=True, eq=False)
class Prices:
    """What a group of heads takes, by site and option's name; `machine` is what the milliseconds were measured on."""

    machine: Fingerprint
    setting: Setting
    table: Mapping[tuple[Kind, str], Price]

    def of(self, site: Site, option: str) -> Price:
        """The price of an option at a site."""
        return self.table[Kind.of(site), option]

    def record(self) -> dict[str, Any]:
        """As plain data: a row for each kind of site and option."""
        rows = [{**asdict(kind), "option": name, **asdict(price)} for (kind, name), price in self.table.items()]
        return {"machine": str(self.machine), "length": self.setting.length, "phase": self.setting.phase, "prices": rows}


def prices(
    sites: Sequence[Site],
    options: Sequence[Option],
    setting: Setting,
    *,
    fresh: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Prices:
    """What each option takes at each site: a pass over `length` tokens, or one step behind them.

    Milliseconds are measured, unless this machine was measured at this setting before (`fresh`: all the same); seconds for a
    model. `tell` hears what is being measured.

    >>> from heedful.manage.options.table import parse
    >>> site = Site(0, "layer", heads=2, kv_heads=2, d=8, v=8, causal=True)
    >>> found = prices([site], [parse("full"), parse("drop")], Setting(length=16))
    >>> found.of(site, "full").operations, found.of(site, "full").bytes, found.of(site, "drop").milliseconds(2)
    (4352.0, 1024.0, 0.0)
    """
    machine, table = fingerprint(setting.device), {}
    for kind in dict.fromkeys(map(Kind.of, sites)):
        layers = sum(Kind.of(site) == kind for site in sites)
        mine = replace(setting, layers=layers if setting.phase == "decode" else 1)
        really = {option.name: within(kind, option, setting.length) for option in options}
        known = times(kind, list(really.values()), mine, machine, fresh, tell)
        start = beginning(kind, mine, known, machine, fresh)
        table.update({(kind, name): priced(kind, option, mine, known, start) for name, option in really.items()})
    return Prices(machine, setting, table)


def times(
    kind: Kind, options: Sequence[Option], setting: Setting, machine: Fingerprint, fresh: bool, tell: Callable[[str], None]
) -> dict[str, tuple[Point, ...]]:
    """Points by label: read, and where some are missing measured and kept."""
    wanted = labelled(kind, options, setting)
    held = {} if fresh else store.read(machine)
    known = {text: held[store.key(kind, text, setting)] for text in wanted if store.key(kind, text, setting) in held}
    missing = {text: option for text, option in wanted.items() if text not in known}
    if missing:
        tell(f"{len(missing)} options of {kind.heads} heads, {kind.d} wide, at {setting.length} tokens")
        found = dict(zip(missing, measured(kind, list(missing.values()), setting), strict=True))
        store.add(machine, {store.key(kind, text, setting): points for text, points in found.items()})
        known.update(found)
    return known


def beginning(kind: Kind, setting: Setting, known: Mapping[str, tuple[Point, ...]], machine: Fingerprint, fresh: bool) -> Start | None:
    """What a layer takes before any head is computed, where that is no part of the lines through the points.

    In a pass it is what the first call takes more in a model than by itself. In a step that is one call for all groups it is all that comes
    before the heads: the median of the options' lines by itself, and what was found in a model.
    """
    passing = setting.phase == "prefill"
    if not known or setting.device != "cpu" or not (passing or together(kind, setting)):
        return None
    name = store.key(kind, "the first call of a layer", setting)
    held = {} if fresh else store.read(machine)
    if name not in held:
        held = {name: ((kind.ratio, entered(kind, setting) if passing else started(kind, setting)),)}
        store.add(machine, held)
    return Start(None if passing else median(line(points)[0] for points in known.values()), held[name][0][1])


def priced(kind: Kind, option: Option, setting: Setting, known: Mapping[str, tuple[Point, ...]], start: Start | None) -> Price:
    """One option's price from its points; operations and bytes are exact. `start`: what a step takes before any head."""
    length, decoding = setting.length, setting.phase == "decode"
    if option.drops or (decoding and not kind.causal and not kind.crossing):
        return FREE
    pairs = option.kept(length) if decoding else option.attended(length, kind.causal)
    operations = 2.0 * setting.batch * pairs * (kind.d + kind.v)
    held = float(setting.batch * option.kept(length) * (kind.d + kind.v) * setting.dtype.itemsize)
    return Price.fitted(known[label(kind, option, setting)], operations=operations, bytes=held, start=start)
