"""What a row of the benchmark is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from heedful.bench.figure import Figure
from heedful.bench.setting import Setting


class Row(NamedTuple):
    """`run(setting)` yields its figures, one at a time as they are found."""

    name: str
    work: str
    run: Callable[[Setting], Iterator[Figure]]
