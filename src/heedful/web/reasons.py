"""How much each token counted, in the text itself: by what was read, or by a method that says why."""

from __future__ import annotations

from typing import Final

import torch
from markupsafe import Markup

from heedful.explanations.parts.photograph import address, shade
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
    """The same over the picture whose cells the tokens are."""
    scores = torch.tensor(list(found.scores)).view(-1, laid.columns)
    shown = scores if found.signed else scores - scores.min()  # what is read everywhere would hide the picture
    order = sorted(range(len(found.scores)), key=lambda i: -abs(found.scores[i]))[:BEST]
    best = [(found.tokens[i], i + 1, found.scores[i]) for i in order]
    pictures = {"below": laid.address, "above": address(shade(shown * float(found.shaded), found.signed))}
    return Markup(drawn("over.html", **pictures, about=found.about, best=best, signed=found.signed))


def read_of(reading: Reading) -> Reasons:
    """What was read for an answer, where that is known."""
    counted = reading.counted or ()
    alike = bool(counted) and max(counted) - min(counted) < ALIKE * max(counted)
    return Reasons(reading.texts[0], counted, SAME if alike and reading.laid else READ, signed=False, laid=reading.laid)


def spaced(token: str) -> str:
    """A token as it stands in its text: a space for its sign."""
    return token.replace("␣", " ")
