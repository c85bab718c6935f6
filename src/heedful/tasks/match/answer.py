"""What one question means: the best entries, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from heedful.errors import UsageError
from heedful.tasks.match.matched import Matched, Matching
from heedful.tasks.task import Record

TOP: Final = 5  # classes that are named


@final
class Meant:
    """The classes a question may mean, the likeliest first, each with the entry that met it best.

    It is turned away under the run's threshold, and where the likeliest class is less likely than `abstain`.

    Errors: `UsageError` for an empty question.
    """

    prompt = ""

    def __init__(self, matching: Matching, text: str, top: int = TOP, abstain: float | None = None) -> None:
        if not text.strip():
            raise UsageError("there is no question: a text with a word in it would work")
        self.matching, self.text, self.top, self.abstain = matching, text, top, abstain or 0.0

    def found(self) -> Matched:
        """What it meets."""
        return self.matching.matched([self.text])

    def pieces(self) -> Iterator[str]:
        """The class, how likely it is and the entry, or that nothing fits."""
        record = self.record()
        best = record["matches"][0]
        if record["refused"]:
            yield f"nothing that is known (nearest: {best['label']}, {best['probability']:.1%}: {best['entry']})"
        else:
            yield f"{best['label']} ({best['probability']:.1%}): {best['entry']}"

    def record(self) -> Record:
        """The question, its class (None where it is turned away), how sure that is, and the best entries."""
        return self.told(self.found())

    def told(self, found: Matched) -> Record:
        """The same from what it meets."""
        index, shares = self.matching.index, found.probabilities[0]
        best = (-found.logits[0]).argsort(kind="stable")[: self.top].tolist()
        matches = [self.match(found, place, float(shares[place])) for place in best]
        refused = not self.matching.kept(found)[0] or float(shares[best[0]]) < self.abstain
        return {
            "text": self.text,
            "label": None if refused else index.names[best[0]],
            "confidence": round(float(shares[best[0]]), 6),
            "refused": refused,
            "sureness": round(float(found.sureness[0]), 4),
            "threshold": round(self.matching.calibration.threshold, 4),
            "matches": matches,
        }

    def match(self, found: Matched, place: int, share: float) -> Record:
        """One class, its entry and its answer."""
        index = self.matching.index
        entry = int(found.met.entry[0, place])
        said: dict[str, str | float | int] = {
            "label": index.names[place],
            "probability": round(share, 6),
            "entry": index.entries.texts[entry],
            "number": index.entries.numbers[entry],
            "cosine": round(float(found.met.nearest[0, place]), 4),
        }
        answer = index.entries.answers.get(index.names[place])
        return {**said, "answer": answer} if answer else said
