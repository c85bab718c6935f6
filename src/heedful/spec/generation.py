"""How a text is continued: the knobs of each draw, and where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from heedful.spec.check import positive, require


@dataclass(frozen=True)
class Sampling:
    """The knobs of a draw; the defaults draw from the model's own distribution.

    >>> Sampling(temperature=0.0).top_k
    0

    Arguments:
        temperature: below 1 sharper, above 1 flatter; 0 always takes the likeliest token.
        top_k: draw from this many likeliest tokens; 0 is off.
        top_p: draw from the likeliest tokens that together reach this share; 1 is off.
        min_p: leave out tokens below this share of the likeliest one's; 0 is off.
        repetition_penalty: above 1 makes tokens that already occurred less likely; 1 is off.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        finite = isfinite(self.temperature) and self.temperature >= 0
        require(finite, "temperature", f"must be 0 (always the likeliest) or more, found {self.temperature}")
        require(self.top_k >= 0, "top_k", f"must be 0 (off) or more, found {self.top_k}")
        require(0 < self.top_p <= 1, "top_p", f"must be above 0 and at most 1 (off), found {self.top_p}")
        require(0 <= self.min_p <= 1, "min_p", f"must lie between 0 (off) and 1, found {self.min_p}")
        penalty = self.repetition_penalty
        require(isfinite(penalty) and penalty > 0, "repetition_penalty", f"must be above 0 (1 is off), found {penalty}")


@dataclass(frozen=True)
class Ending:
    """Where a continuation ends, and how far back the model looks meanwhile.

    >>> Ending(max_tokens=20, stop=("\\n",)).stop
    ('\\n',)

    Arguments:
        max_tokens: end after this many new tokens.
        stop: end before this text would appear; may be given several times.
        window: each layer keeps this many tokens, so that a token's cost stops growing; the model's own context if not given.
        sinks: with a window, the first tokens are kept besides.
        no_cache: read the window again for every token: slow, the same text while it fits the window, and all that some masks allow.
    """

    max_tokens: int = 200
    stop: tuple[str, ...] = ()
    window: int | None = None
    sinks: int = 0
    no_cache: bool = False

    def __post_init__(self) -> None:
        require(self.max_tokens >= 0, "max_tokens", f"must be 0 or more, found {self.max_tokens}")
        require(all(self.stop), "stop", "must not be empty: every text contains it")
        require(self.sinks >= 0, "sinks", f"must be 0 or more, found {self.sinks}")
        positive({"window": self.window})
