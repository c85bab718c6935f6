"""Which gates of a model are closed in part: what a plan says of each, and how it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from heedful.manage.profile import Gated


@final
@dataclass(frozen=True, slots=True)
class Closed:
    """A gate under a threshold: `gate` is its block's path; `number` the threshold; `open` the channels that are left (of SE).

    `skipped` is the share of the channels or tokens that it leaves out, `loss` what that costs in nats a token.
    """

    gate: str
    kind: str
    number: float
    open: tuple[int, ...]
    skipped: float
    loss: float


def closed(gates: Sequence[Gated], most: float) -> tuple[Closed, ...]:
    """For each gate the threshold that leaves most out, as long as all of them together lose no more than `most` nats a token.

    Taken one after another, those first that lose least for what they leave out; with 0 none is closed.

    >>> from heedful.manage.profile import Gated
    >>> rows = [Gated("layers.0", "LayerwiseAdaptiveAttention", "threshold(0.2)", 0.5, {"fisher": 0.001}, 0.2)]
    >>> closed(rows, 0.002)[0].skipped, closed(rows, 0.0005)
    (0.5, ())
    """
    found: dict[str, Closed] = {}
    offered = [offer(row) for row in gates if row.treatment.startswith("threshold") and row.skipped > 0.0]
    for each in sorted(offered, key=lambda row: row.loss / row.skipped):
        before = found.get(each.gate)
        total = sum(row.loss for name, row in found.items() if name != each.gate) + each.loss
        if most > 0.0 and total <= most and (before is None or each.skipped > before.skipped):
            found[each.gate] = each
    return tuple(found[name] for name in dict.fromkeys(row.name for row in gates) if name in found)


def offer(row: Gated) -> Closed:
    """A profile's row as a plan would have it."""
    return Closed(row.name, row.kind, row.number, row.open, row.skipped, row.losses["fisher"])


def lines(rows: Sequence[Closed]) -> tuple[str, ...]:
    """In words, one a gate."""
    what = {"SqueezeExcitation": "channels of the attention"}
    told = ((row, what.get(row.kind, "tokens")) for row in rows)
    return tuple(
        f"{row.gate}: {row.kind} under {row.number:.3g} closes {row.skipped:.0%} of the {of}, {row.loss:.3g} nats" for row, of in told
    )
