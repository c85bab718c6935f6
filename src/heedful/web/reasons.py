"""How much each token counted, in the text itself: by what was read, or by a method that says why."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from heedful.web.drawn import drawn
from heedful.web.reading import Reading
from heedful.web.runs.run import Reasons

BEST: Final = 20  # tokens whose numbers are listed
READ: Final = "Shaded is what the model read to answer: where it looked, never why it decided."


def reason(found: Reasons) -> Markup:
    """The tokens shaded by their scores, blue for and orange against, with the numbers on demand; unshaded where they may not be."""
    top = max((abs(score) for score in found.scores), default=0.0) or 1.0
    pairs = list(zip(found.tokens, found.scores, strict=True))
    order = sorted(range(len(pairs)), key=lambda i: -abs(found.scores[i]))[:BEST]
    scored = [(spaced(token), score, abs(score) / top if found.shaded else 0.0) for token, score in pairs]
    best = [(pairs[i][0], i + 1, pairs[i][1]) for i in order]
    return Markup(drawn("reason.html", error=None, about=found.about, scored=scored, best=best, signed=found.signed))


def read_of(reading: Reading) -> Reasons:
    """What was read for an answer, where that is known."""
    return Reasons(reading.texts[0], reading.counted or (), READ, signed=False)


def spaced(token: str) -> str:
    """A token as it stands in its text: a space for its sign."""
    return token.replace("␣", " ")
