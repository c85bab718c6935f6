"""`heedful.why`: which backend would serve a call, and why the others would not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from torch import Tensor

from heedful.attention.backends.backend import Backend
from heedful.attention.backends.dispatch import pick
from heedful.attention.backends.quickest import predicted
from heedful.attention.backends.region import chosen
from heedful.attention.backends.table import BACKENDS
from heedful.attention.call import Call
from heedful.attention.resolve import Options, resolve
from heedful.attention.select import Select


@dataclass(frozen=True, slots=True)
class Reason:
    """One backend's word on a call: `reason` is None where it can serve it; `chosen` marks the one that would.

    `milliseconds` is its predicted time; rough unless this machine was measured (`heedful bench --measure`).
    """

    backend: str
    reason: str | None
    chosen: bool
    about: str
    milliseconds: float | None = None

    def __str__(self) -> str:
        mark = "->" if self.chosen else "  "
        return f"{mark} {self.backend:8} {self.reason or 'can serve: ' + self.about + self.expected}"

    @property
    def expected(self) -> str:
        """The predicted time, in words."""
        return "" if self.milliseconds is None else f"; about {self.milliseconds:.2g} ms"


class Reasons(tuple[Reason, ...]):
    """A reason for each row of the dispatch table, in its order; prints as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(str(reason) for reason in self)

    __str__ = __repr__


def why(
    q: Tensor, k: Tensor, v: Tensor, *, return_weights: bool | Select = False, summaries: Sequence[str] = (), **options: Unpack[Options]
) -> Reasons:
    """Each backend with its reason for not serving this call of `attend`, or what it would do; takes the same arguments.

    >>> import torch, heedful
    >>> q = torch.randn(1, 2, 100, 4)
    >>> said = {word.backend: word for word in heedful.why(q, q, q, weighting="sparsemax")}
    >>> print(said["sdpa"])
       sdpa     it computes softmax only, not sparsemax
    >>> print(said["naive"])  # doctest: +ELLIPSIS
    -> naive    can serve: every formula as written, whole matrix; about ... ms
    """
    call = resolve(q, k, v, options, return_weights, summaries)
    named = pick(call, chosen(options.get("backend", "auto"))).name
    return Reasons(word(row, call, named) for row in BACKENDS)


def word(row: Backend, call: Call, named: str) -> Reason:
    """A backend's word, with its predicted time where it can serve."""
    reason = row.why_not(call)
    return Reason(row.name, reason, row.name == named, row.about, None if reason else predicted(row.name, call))
