"""An explanation: a number for each unit of one input, how it was found, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jaxtyping import Float
from torch import Tensor

from heedful.errors import Unsupported, UsageError
from heedful.explanations.faithfulness.deletion import FRACTIONS
from heedful.explanations.faithfulness.single import Faithfulness, judged
from heedful.explanations.faithfulness.standing import Standing
from heedful.explanations.markup import Markup, element
from heedful.explanations.methods.head_ablation import HeadAblation, names_of
from heedful.explanations.methods.method import Method
from heedful.explanations.page import Section, page
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.prose import paragraph
from heedful.explanations.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LISTED: Final = 16  # units of the list under a text
WIDE, LINE, SHORTEST, TALLEST = 90, 28, 460, 1200  # letters of a line in a notebook; pixels of a line, and of a frame
LOOKED: Final = "Where the model looked, which does not say why it decided."


@dataclass(frozen=True, eq=False)
class Explanation:
    """What counted for one answer of a model; in a notebook it shows itself.

    `scores` (n,) belong to `tokens` (units of the input, or heads); `probability` is the answer's; `standing` what was measured of the
    method on other texts, where it was.
    """

    subject: Subject
    method: Method
    scores: Float[Tensor, " n"]
    probability: float
    standing: Standing | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """What each score belongs to."""
        return names_of(self.subject) if isinstance(self.method, HeadAblation) else self.subject.names

    @property
    def shaded(self) -> bool:
        """Whether it may be shown in colours: not where it was found to be no better than chance."""
        return self.standing is None or self.standing.holds

    @property
    def title(self) -> str:
        """What was asked."""
        against = f" and not {self.subject.contrast}" if self.subject.contrast is not None else ""
        return f"Why {self.subject.answer}{against}"

    def faithfulness(
        self, fractions: Sequence[float] = FRACTIONS, replacement: str | None = None, against: int = 20, seed: int = 0
    ) -> Faithfulness:
        """What the answer loses without what counts most, and with it alone, beside as many random orders as `against`.

        Errors: `Unsupported` for heads, which are no part of the input.
        """
        if isinstance(self.method, HeadAblation):
            raise Unsupported("heads are no units of the input: their scores are measured already; another method would work")
        if against < 1:
            raise UsageError(f"against={against}: one random order or more would work")
        return judged(self.subject, self.scores, tuple(fractions), replacement, against, seed)

    def best(self, most: int = LISTED) -> list[tuple[int, str, float]]:
        """The units that count most by size: their places, names and scores."""
        order = self.scores.abs().argsort(descending=True, stable=True)[:most].tolist()
        return [(i, self.tokens[i], float(self.scores[i])) for i in order]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "answer": self.subject.answer,
            "contrast": self.subject.contrast,
            "probability": round(self.probability, 6),
            "method": self.method.name,
            "scores_are": self.method.title,
            "source": self.method.source,
            "tokens": list(self.tokens),
            "scores": [round(score, 6) for score in self.scores.tolist()],
            "standing": None if self.standing is None else self.standing.record(),
        }

    def sections(self) -> list[Section]:
        """Its parts of a page."""
        lead = "" if self.method.faithful else LOOKED
        if self.standing is not None:
            lead = f"{lead} {self.standing.words()}".strip()
        share = "share of the two" if self.subject.contrast is not None else "probability"
        said = paragraph(f"{self.subject.answer}: {share} {self.probability:.1%}. Method: {self.method.name} ({self.method.source}).")
        return [Section(self.title, lead, [self.pictured(), said, *self.listed()], "why")]

    def pictured(self) -> Markup:
        """The text in its shades, or a bar a head."""
        if isinstance(self.method, HeadAblation):
            return bars([Bar(name, float(score)) for name, score in zip(self.tokens, self.scores, strict=True)], self.method.title, "nats")
        sides = "; blue speaks for it, orange against" if self.method.signed and self.shaded else ""
        return self.subject.drawn(self.scores, f"{self.method.title}{sides}", self.shaded)

    def listed(self) -> list[Markup]:
        """What counts most, as bars."""
        if isinstance(self.method, HeadAblation) or not self.shaded:
            return []
        rows = [Bar(f"{name.strip() or name} ({place + 1})", score, "against" if score < 0 else "") for place, name, score in self.best()]
        return [bars(rows, "What counts most", "")]

    def html(self) -> str:
        """A self-contained page."""
        return page(self.title, f"{self.method.title}.", self.sections())

    def plot(self, path: str | Path | None = None) -> Figure:
        """A figure for papers; written to `path` (.png, .svg, .pdf) if given."""
        from heedful.explanations.figure import drawn, saved

        found = drawn(self)
        if path is not None:
            saved(found, Path(path))
        return found

    def _repr_html_(self) -> str:
        """How a notebook shows it: the page in a frame, whose styles are its own, as high as text and list want; it can be drawn taller."""
        lines = sum(map(len, self.tokens)) // WIDE
        high = min(TALLEST, SHORTEST + LINE * (lines + len(self.best())))
        look = f"width:100%;height:{high}px;border:0;resize:vertical;overflow:auto"
        return element("iframe", {"srcdoc": self.html(), "title": self.title, "style": look})

    def __repr__(self) -> str:
        best = ", ".join(f"{name.strip()} {score:+.3f}" for _, name, score in self.best(5))
        return f"Explanation({self.title}, {self.probability:.1%}, by {self.method.name}: {best})"


def explained(subject: Subject, method: Method, standing: Standing | None = None) -> Explanation:
    """The explanation of a subject by a method; `Unsupported` with the reason where it cannot."""
    scores = method.explained(subject)
    probability = float(subject.probability(subject.scored(subject.whole()))[0])
    return Explanation(subject, method, scores, probability, standing)
