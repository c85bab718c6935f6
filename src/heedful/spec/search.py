"""How the likeliest text is searched for, where a model writes one text for another."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from heedful.spec.check import positive, require


@dataclass(frozen=True)
class Search:
    """A beam search's knobs, for tasks that write one text for another (translate, summarise).

    >>> Search(beams=1).best
    1

    Arguments:
        beams: how many beginnings are followed at once; 1 always takes the likeliest token.
        length_penalty: the log-probability is divided by the length to this power; 0 prefers short texts, above 1 long ones.
        best: how many of the texts found are told in --json, the likeliest first.
        sample: draw each token in place of a search; so does any option of sampling.
        extract: answer with this many sentences of the text itself, those most looked at (summarise; 0: write).
    """

    beams: int = 5
    length_penalty: float = 1.0
    best: int = 1
    sample: bool = False
    extract: int = 0

    def __post_init__(self) -> None:
        positive({"beams": self.beams, "best": self.best})
        require(isfinite(self.length_penalty), "length_penalty", f"must be a number, found {self.length_penalty}")
        require(self.best <= self.beams, "best", f"{self.best} texts of {self.beams} beams: no more than beams would work")
        require(self.extract >= 0, "extract", f"must be 0 (write) or more, found {self.extract}")
