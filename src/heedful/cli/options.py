"""Options that mean the same in every command."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from heedful.spec.generation import Ending, Sampling
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
from heedful.tasks.task import Measure, View

Json = Annotated[bool, Parameter(negative="", show_default=False)]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
Words = Annotated[list[str], Parameter(negative="", show_default=False, consume_multiple=False)]
FLAT = Parameter(name="*")
HYPHENED = Parameter(allow_leading_hyphen=True)  # a hyphen alone is a stream
SEARCH, HEARING = Search(), Hearing()
SAMPLING, ENDING, MEASURE, VIEW = Sampling(), Ending(), Measure(), View()
DEFAULTS = Parameter(negative=(), consume_multiple=False)


def use_threads(threads: int | None) -> None:
    """Let torch use so many threads; None leaves its own choice."""
    from heedful.errors import UsageError

    if threads is None:
        return
    if threads < 1:
        raise UsageError(f"--threads is {threads}: it must be 1 or more")
    import torch

    torch.set_num_threads(threads)
