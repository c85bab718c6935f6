"""A classifier that is kept open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, final

import torch
from torch import nn

from heedful.errors import HeedfulError
from heedful.manage.hosts.ours import layers
from heedful.models.classifier import Classifier, ClassifierOutput
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.classify import Classify
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.classify.marked import counted, marked
from heedful.tasks.explained.classified import of_weights_alone, why_class
from heedful.tasks.explained.subjects import of_classifier
from heedful.tasks.task import Asked, Explanation, Record, View
from heedful.web.reading import Map, Reading
from heedful.web.runs.crew import Crew
from heedful.web.runs.muting import muted
from heedful.web.runs.planned import beside, chosen
from heedful.web.runs.run import ByHand, Kind, Precision, Reasons, Wanted, pair_of
from heedful.web.runs.why import OF_TOKENS, why

WIDER: Final = 1.25  # times the shortest text of a forward: longer ones are read in another, or much of it would be padding
SLACK: Final = 16  # tokens that never matter
ROOM: Final = (
    1_024  # tokens of a forward: a text takes no less of a larger one, whose middle no longer fits the caches, and fewer share a batch
)
STEP: Final = 32  # tokens
TYPES: Final[Mapping[str, torch.dtype]] = {"float32": torch.float32, "bf16": torch.bfloat16}


@final
class OpenClassifier:
    """The class of texts, many in one forward.

    Errors: those of loading a run and a plan.
    """

    task, methods = Classify.name, OF_TOKENS
    takes: Kind = "text"
    by_hand: ByHand | None = None
    goes_on, reads = False, True

    def __init__(self, path: Path, plan: Path | None = None, precision: Precision = "float32") -> None:
        self.path, self.loaded = path, load_classifier(path)
        self.planned = beside(load_classifier, path, plan)
        # Answers alone are made of rounder numbers; what the page and explanations show is of the model as it was trained.
        self.crew = Crew(torch.get_num_threads())
        self.answering = self.loaded.model if precision == "float32" else load_classifier(path).model.to(TYPES[precision])

    @cached_property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""
        return None if layers(self.loaded.model) else f"a {self.loaded.spec.model.kind} has no layers that attend"

    @property
    def why_unplanned(self) -> str | None:
        """Whatever has heads can be planned."""
        return self.why_unread

    def facts(self) -> Record:
        """Classes and sizes."""
        model = self.loaded.model
        return {"labels": list(model.labels), "context": model.context, **sizes(model), "planned": self.planned is not None}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """The class of each text; texts of about one length are read in one forward."""
        found: dict[int, Record | HeedfulError] = {}
        open_: dict[int, Classified] = {}
        for i, text in enumerate(inputs):
            try:
                open_[i] = self.answer(text, asked)
            except HeedfulError as error:
                found[i] = error
        # The longest first, or one thread would be left with them at the end.
        groups = list(alike({i: answer.ids.shape[1] for i, answer in open_.items()}))[::-1]
        for group, told in zip(groups, self.crew.each(self.together, [[open_[i] for i in group] for group in groups]), strict=True):
            found |= dict(zip(group, told, strict=True))
        return [found[i] for i in range(len(inputs))]

    def together(self, answers: Sequence[Classified]) -> list[Record]:
        """What is said of several texts, read in one forward."""
        return together(self.answering, answers)

    def answer(self, text: str, asked: Asked) -> Classified:
        """The class of one text."""
        return Classified(self.loaded, text, asked.abstain)

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """The class, and how much each token counted."""
        answer = self.answer(text, asked)
        return marked(answer, view) if of_weights_alone(view) else why_class(answer, view)

    def read(self, wanted: Wanted) -> Reading:
        """The class, and the weights of every head."""
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        answer = Classified(loaded, pair_of(wanted))
        with muted(loaded.model, wanted.silent):
            output = answer.output(trace=True)
        record = answer.told(output)
        tokens = [loaded.tokenizer.show(i) for i in answer.ids[0].tolist()]
        maps = tuple(Map(trace.name, trace.weights[0].float().cpu()) for trace in output.traces)
        split = len(loaded.tokenizer.encode(f"{wanted.text}\n")) if wanted.second and not record["cut"] else None
        weights = None if output.pooled is None else tuple(counted(output, View()).tolist())
        return Reading(record, (tokens,), maps, weights, split=split, silent=wanted.silent)

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each token counted for the class."""
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        answer = Classified(loaded, pair_of(wanted))
        with muted(loaded.model, wanted.silent):
            return why(self.path, of_classifier(loaded.model, answer.ids[0], loaded.tokenizer, None, None), loaded.model, method)


def sizes(model: nn.Module) -> dict[str, int]:
    """Layers that attend, the heads of each, and parameters."""
    found = [layer for _, layer in layers(model)]
    return {
        "layers": len(found),
        "heads": max((layer.widths.heads for layer in found), default=0),
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def alike(lengths: dict[int, int]) -> Iterator[list[int]]:
    """Places of texts in groups of about one length that are read in one forward each, the shortest first.

    >>> list(alike({0: 100, 1: 4, 2: 90, 3: 5}))
    [[1, 3], [2, 0]]
    >>> [len(group) for group in alike(dict.fromkeys(range(5), 512))]
    [2, 2, 1]
    """
    group: list[int] = []
    for place in sorted(lengths, key=lambda place: lengths[place]):
        longest = lengths[place]
        if group and (longest > WIDER * lengths[group[0]] + SLACK or longest * (len(group) + 1) > ROOM):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


@torch.inference_mode()
def together(model: Classifier, answers: Sequence[Classified]) -> list[Record]:
    """What a model says of several texts, read at once."""
    ids = [answer.ids[0] for answer in answers]
    exact = next(model.parameters()).dtype == torch.float32
    length = stepped(max(len(row) for row in ids), model.context) if not exact else max(len(row) for row in ids)
    padded = torch.stack([nn.functional.pad(row, (0, length - len(row))) for row in ids])
    output: ClassifierOutput = model(padded, lengths=torch.tensor([len(row) for row in ids], device=padded.device))
    return [answer.told(ClassifierOutput(output.logits[i : i + 1])) for i, answer in enumerate(answers)]


def stepped(length: int, context: int) -> int:
    """A length rounded up: each new shape of a product in bf16 has its code made first (oneDNN), which takes as long as a short forward.

    >>> stepped(33, 512), stepped(500, 500)
    (64, 500)
    """
    return max(length, min(context, -(-length // STEP) * STEP))
