"""GIM, gradient interaction modifications: norms held, a softer softmax, and gradients shared among what is multiplied.

Edin et al. 2025, arXiv 2505.17630: softmax hides what several keys say alike (self-repair), so its backward pass is that of a softmax at
temperature 2; of a product's gradient each factor gets its share, a quarter for queries and keys, half for values. All three rules are
applied inside the attention of every model that can be watched, Hugging Face's among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.input_gradient import moved
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import layers
from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Subject

MOST: Final = 2048  # places: the weights of a layer stand in the graph as one matrix


@final
@dataclass(frozen=True)
class Interactions(Method):
    """∇ log p · x under GIM's rules.

    >>> Interactions().temperature
    2.0
    """

    name: ClassVar[str] = "gim"
    title: ClassVar[str] = "change of log p under softened interactions"
    source: ClassVar[str] = "Edin et al. 2025, arXiv 2505.17630"
    signed: ClassVar[bool] = True
    temperature: float = 2.0
    shares: tuple[float, float, float] = (0.25, 0.25, 0.5)

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        reason = subject.no_gradients or layers(subject)
        if reason is not None:
            return reason
        places = len(subject.features)
        if places > MOST:
            return (
                f"it keeps the weights of {places} x {places} places a head in the graph: up to {MOST} would work, or quick at any length"
            )
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The products."""
        return moved(subject, subject.features, Rules(True, False, self.temperature, self.shares))

    def passes(self, subject: Subject) -> int:
        """One forward, one backward."""
        return 3
