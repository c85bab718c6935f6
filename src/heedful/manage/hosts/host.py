"""What a kind of model answers: where it attends, and how another computation takes attention's place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

from jaxtyping import Float
from torch import Tensor, nn

from heedful.manage.seen import Seen
from heedful.manage.site import Site

Handler = Callable[[Seen], Float[Tensor, "b h q v"]]


class Host(ABC):
    """One kind of model."""

    @abstractmethod
    def why_not(self, model: nn.Module) -> str | None:
        """Why this host cannot serve the model; None where it can."""

    @abstractmethod
    def sites(self, model: nn.Module) -> tuple[Site, ...]:
        """Its attention layers."""

    @abstractmethod
    def watched(self, model: nn.Module, handler: Handler) -> AbstractContextManager[None]:
        """Within it every attention of the model is what `handler` gives; undone at the end."""
