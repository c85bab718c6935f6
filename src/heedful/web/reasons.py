"""How much each token counted, in the text itself: by what was read, or by a method that says why."""

from __future__ import annotations

from typing import Final

import torch
from markupsafe import Markup

from heedful.explanations.parts.overlay import Cover, Laying, overlay
from heedful.explanations.parts.photograph import faded
from heedful.web.drawn import drawn
from heedful.web.reading import Laid, Reading
from heedful.web.runs.run import Reasons

BEST: Final = 20  # tokens whose numbers are listed
ALIKE: Final = 1e-3  # of the largest
SAME: Final = "The model read every patch alike to answer: what each patch took in from the others is below."
READ: Final = "Shaded is what the model read to answer: where it looked, never why it decided."


def reason(found: Reasons) -> Markup:
    """The tokens shaded by their scores, blue for and orange against, with the numbers on demand; unshaded where they may not be."""
    if found.laid is not None:
        return over(found, found.laid)
    top = max((abs(score) for score in found.scores), default=0.0) or 1.0
    pairs = list(zip(found.tokens, found.scores, strict=True))
    order = sorted(range(len(pairs)), key=lambda i: -abs(found.scores[i]))[:BEST]
    scored = [(spaced(token), score, abs(score) / top if found.shaded else 0.0) for token, score in pairs]
    best = [(pairs[i][0], i + 1, pairs[i][1]) for i in order]
    return Markup(drawn("reason.html", error=None, about=found.about, scored=scored, best=best, signed=found.signed))


def over(found: Reasons, laid: Laid) -> Markup:
    """The same over the picture whose cells the tokens are, to be gone over by pointer or keys."""
    scores = torch.tensor(list(found.scores)).view(-1, laid.columns)
    how = Laying(found.tokens, laid.axes, found.signed, found.shaded)
    pixels = faded(laid.pixels) if found.signed else laid.pixels
    shown = overlay(pixels, [Cover("what counted", scores)], "What counted", how)
    return Markup(drawn("over.html", about=found.about, picture=Markup(shown)))


def read_of(reading: Reading) -> Reasons:
    """What was read for an answer, where that is known."""
    counted = reading.counted or ()
    alike = bool(counted) and max(counted) - min(counted) < ALIKE * max(counted)
    laid = reading.laid if reading.laid is not None and reading.laid.text == 0 else None
    return Reasons(reading.texts[0], counted, SAME if alike and laid else READ, signed=False, laid=laid)


def spaced(token: str) -> str:
    """A token as it stands in its text: a space for its sign."""
    return token.replace("␣", " ")
