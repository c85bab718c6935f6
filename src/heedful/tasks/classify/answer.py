"""The class of one text, and how sure the model is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

import torch

from heedful.data.labelled.texts import Texts
from heedful.errors import UsageError
from heedful.models.classifier import ClassifierOutput
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.tasks.task import Record

TOP: Final = 5  # classes that are named with their probabilities


@final
class Classified:
    """The classes of a text, the likeliest first.

    Below the confidence `abstain` no class is given (None: always one).

    Errors: `UsageError` for an empty text.
    """

    prompt = ""

    def __init__(self, loaded: LoadedClassifier, text: str, abstain: float | None = None) -> None:
        if not text.strip():
            raise UsageError("there is nothing to classify: a text with a word in it would work")
        self.loaded, self.text, self.abstain = loaded, text, abstain
        self.read = text.lower() if loaded.spec.texts.lowercase else text
        self.rows = loaded.rows(Texts((self.read,), (loaded.model.labels[0],)))
        self.ids = self.rows.tokens[None].to(loaded.device)

    @torch.inference_mode()
    def output(self, trace: bool = False) -> ClassifierOutput:
        """What the model says of the text, with `trace` also what each layer read."""
        found: ClassifierOutput = self.loaded.model(self.ids, trace=trace)
        return found

    def pieces(self) -> Iterator[str]:
        """The class and its probability."""
        record = self.record()
        yield f"{record['label'] or 'none'} ({record['confidence']:.1%})"

    def record(self) -> Record:
        """The text, its class, how sure that is, the likeliest classes, and how many tokens were read."""
        return self.told(self.output())

    def told(self, output: ClassifierOutput) -> Record:
        """The same from what the model said."""
        probabilities = (output.logits[0].float() / self.loaded.temperature).softmax(0)
        best = probabilities.topk(min(TOP, len(probabilities)))
        named = {self.loaded.model.labels[i]: round(p, 6) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)}
        label, confidence = next(iter(named.items()))
        unsure = self.abstain is not None and confidence < self.abstain
        return {
            "text": self.text,
            "label": None if unsure else label,
            "confidence": confidence,
            "probabilities": named,
            "tokens": self.ids.shape[1],
            "cut": bool(self.rows.cut) and self.loaded.spec.texts.keep != "windows",
        }
