"""How much each part of an input counted, by the methods of `heedful explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from torch import nn

from heedful.explanations.explanation import LOOKED
from heedful.explanations.methods.table import METHODS
from heedful.explanations.subject import Subject
from heedful.tasks.explained.answering import reasons
from heedful.tasks.task import View
from heedful.web.reading import Laid
from heedful.web.runs.run import Reasons

OF_TOKENS: Final = tuple(method.name for method in METHODS if method.name not in ("head_ablation", "chance"))
ACROSS: Final = tuple(name for name in OF_TOKENS if name not in ("rollout", "flow", "value_norms"))  # where there are two streams
UNSEEN: Final = ("quick", "measured", "input_gradient", "integrated_gradients", "occlusion", "shapley")  # where no attention can be seen
COUNTED: Final = ("measured", "occlusion", "shapley")  # where there are no gradients either


def why(run: Path, subject: Subject, model: nn.Module, method: str) -> Reasons:
    """Scores of a method ("auto" for the one that measured best on this run), and what is known of how far they can be trusted.

    Errors: `UsageError` for an unknown method, `Unsupported` with the reason for one that cannot serve.
    """
    found = reasons(run, subject, model, View(method=method))
    told = [f"{found.title}: {found.method.title} ({found.method.name}, {found.method.source})."]
    told += [] if found.method.faithful else [LOOKED]
    told += [] if found.standing is None else [found.standing.words()]
    grid = subject.grid
    laid = None if grid is None else Laid(grid.pixels, grid.columns, axes=grid.axes)
    return Reasons(found.tokens, found.scores.tolist(), " ".join(told), found.method.signed, found.shaded, laid)
