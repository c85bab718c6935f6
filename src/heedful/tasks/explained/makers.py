"""The tasks whose runs can be explained by every method: how an input of each becomes a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from heedful.errors import Unsupported
from heedful.tasks.explained.samples.captions import OfCaptions
from heedful.tasks.explained.samples.histories import OfHistories
from heedful.tasks.explained.samples.pictures import OfPictures
from heedful.tasks.explained.samples.questions import OfQuestions
from heedful.tasks.explained.samples.recordings import OfRecordings
from heedful.tasks.explained.samples.sample import Maker
from heedful.tasks.explained.samples.texts import OfContinuations, OfTexts
from heedful.tasks.explained.samples.writings import OfWritings

MAKERS: Final[Mapping[str, Maker]] = {
    "classify": OfTexts(),
    "generate": OfContinuations(),
    "translate": OfWritings(),
    "summarise": OfWritings(),
    "match": OfQuestions(),
    "recommend": OfHistories(),
    "image": OfPictures(),
    "caption": OfCaptions(),
    "speech": OfRecordings(),
}


def maker_of(task: str) -> Maker:
    """How a task's inputs become subjects; `Unsupported` for a task that has not said."""
    if task not in MAKERS:
        raise Unsupported(f"methods are not compared for the task {task}: runs of {', '.join(MAKERS)} would work")
    return MAKERS[task]
