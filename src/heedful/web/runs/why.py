"""How much each token counted, by the methods of `heedful explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from heedful.explanations.explanation import LOOKED
from heedful.explanations.methods.table import METHODS
from heedful.tasks.explained.answering import reasons
from heedful.tasks.explained.modelled import Modelled
from heedful.tasks.task import View
from heedful.web.runs.run import Reasons

OF_TOKENS: Final = tuple(method.name for method in METHODS if method.name not in ("head_ablation", "chance"))


def why(run: Path, subject: Modelled, method: str) -> Reasons:
    """Scores of a method ("auto" for the one that measured best on this run), and what is known of how far they can be trusted.

    Errors: `UsageError` for an unknown method, `Unsupported` with the reason for one that cannot serve.
    """
    found = reasons(run, subject, subject.model, View(method=method))
    told = [f"{found.title}: {found.method.title} ({found.method.name}, {found.method.source})."]
    told += [] if found.method.faithful else [LOOKED]
    told += [] if found.standing is None else [found.standing.words()]
    return Reasons(found.tokens, found.scores.tolist(), " ".join(told), found.method.signed, found.shaded)
