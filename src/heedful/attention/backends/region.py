"""`with heedful.backend("naive"):` the backend that calls in a region use unless they name one themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from heedful.attention.backends.table import BACKENDS
from heedful.errors import unknown


class Region(local):
    """The name in force in this thread. (torch.compile guards on it; a ContextVar it cannot trace.)"""

    name = "auto"


REGION = Region()


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Calls of `attend` inside that leave `backend="auto"` use `name`; one that it cannot serve raises `Unsupported`.

    >>> import torch, heedful
    >>> q = torch.randn(1, 2, 3, 4)
    >>> with heedful.backend("naive"):
    ...     heedful.attend(q, q, q).shape
    torch.Size([1, 2, 3, 4])
    """
    if name not in ("auto", *(row.name for row in BACKENDS)):
        raise unknown("backend", name, ["auto", *(row.name for row in BACKENDS)])
    before, REGION.name = REGION.name, name
    try:
        yield
    finally:
        REGION.name = before


def chosen(name: str) -> str:
    """The backend a call asks for: its own word, else the region's."""
    return name if name != "auto" else REGION.name
