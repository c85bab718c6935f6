"""Choosing a backend for a call: the one that will be quickest of those that can serve it, or the one that was named."""

from __future__ import annotations

from heedful.attention.backends.backend import Backend
from heedful.attention.backends.quickest import quickest
from heedful.attention.backends.region import chosen
from heedful.attention.backends.table import BACKENDS
from heedful.attention.call import Call, Result
from heedful.errors import Unsupported, unknown


def pick(call: Call, name: str) -> Backend:
    """The backend that serves `call`; a named one that cannot is refused with its reason and those that can."""
    if name == "auto":
        return quickest(call, BACKENDS)
    for row in BACKENDS:
        if row.name == name:
            reason = row.why_not(call)
            if reason is None:
                return row
            able = ", ".join(other.name for other in BACKENDS if other.why_not(call) is None)
            raise Unsupported(f"backend={name!r} cannot serve this call: {reason}; {able} would work")
    raise unknown("backend", name, ["auto", *(row.name for row in BACKENDS)])


def serve(call: Call, backend: str = "auto") -> Result:
    """Compute the call on the backend it names, or the region's, or the quickest that can."""
    return pick(call, chosen(backend)).run(call)
