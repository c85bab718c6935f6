"""How a stream of sound is heard, and which words are waited for in it."""

from __future__ import annotations

from dataclasses import dataclass

from heedful.spec.check import positive, require


@dataclass(frozen=True)
class Hearing:
    """The knobs of hearing (task speech).

    >>> Hearing(spot="yes,no").words
    ('yes', 'no')

    Arguments:
        spot: words to be told of as soon as they are heard, with commas between.
        rate: samples a second of a stream of raw 16-bit mono sound on standard input (the input -).
        chunk: seconds of a stream that are heard at a time.
        pause: seconds of silence that end an utterance of a stream.
    """

    spot: str = ""
    rate: int = 16000
    chunk: float = 0.25
    pause: float = 0.8

    def __post_init__(self) -> None:
        positive({"chunk": self.chunk, "pause": self.pause})
        require(1000 <= self.rate <= 384_000, "rate", f"must lie between 1,000 and 384,000 samples a second, found {self.rate}")

    @property
    def words(self) -> tuple[str, ...]:
        """The words to be told of."""
        return tuple(word.strip() for word in self.spot.split(",") if word.strip())
