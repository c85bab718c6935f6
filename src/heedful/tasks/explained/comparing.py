"""`heedful explain RUN --compare`: every method on a run's own texts, and the best one kept as its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from heedful.explanations.faithfulness.comparison import Comparison, Protocol, compared
from heedful.explanations.methods.head_ablation import HeadAblation
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.shapley import Shapley
from heedful.explanations.methods.table import METHODS, find_method
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.makers import maker_of
from heedful.tasks.explained.standings import keep, record_of

LEFT: Final = (HeadAblation, Shapley)  # no units of the input; 16 passes a unit


def compare(
    task: str, run: Path, asking: Asking, told: Callable[[int], Callable[[], None]] | None = None
) -> tuple[Comparison, Mapping[str, Any]]:
    """Compare methods on a run, write what was found to its explain.json, and give both.

    `told` is given the number of inputs, and gives what is called after each.
    """
    sample = maker_of(task)(run, asking)
    done = told(sample.count) if told is not None else lambda: None
    found = compared(sample.subjects, chosen(asking.names), sample.data, Protocol(replacement=asking.replacement), done)
    record = record_of(found, sample.model)
    keep(run if run.is_dir() else run.parent, record)
    return found, record


def chosen(names: Sequence[str]) -> tuple[Method, ...]:
    """The methods asked for, or all whose cost does not grow with the square of the length."""
    return tuple(find_method(name) for name in names) or tuple(method for method in METHODS if not isinstance(method, LEFT))
