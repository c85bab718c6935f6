"""What a matcher reads: some texts together, as `data.questions.reading` makes them."""

from __future__ import annotations

from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor


class Asked(Protocol):
    """Texts by the types of their words and by their weighted runs, zeros where one is shorter than the longest."""

    @property
    def words(self) -> Int[Tensor, "b t"]:
        """The place of each word in `types`."""

    @property
    def lengths(self) -> Int[Tensor, " b"]:
        """How many words are real."""

    @property
    def types(self) -> Int[Tensor, "u g"]:
        """The runs of each different word, 0 for none."""

    @property
    def runs(self) -> Int[Tensor, "b n"]:
        """All runs of a text."""

    @property
    def weights(self) -> Float[Tensor, "b n"]:
        """How much each of them weighs."""

    @property
    def labels(self) -> Int[Tensor, " b"]:
        """The class of each text, -100 for none that is known."""

    @property
    def group(self) -> int:
        """How many rows are a text, one of its class, and others like it; 1 for none."""
