"""What a head may be given instead of all of its attention: where it may look, and what it keeps in a cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import astuple, dataclass
from typing import ClassVar, Literal

from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.errors import UsageError
from heedful.manage.seen import Seen

Phase = Literal["prefill", "decode"]
PHASES: tuple[Phase, ...] = ("prefill", "decode")


@dataclass(frozen=True)
class Option(ABC):
    """A rule for one head: a support in the pass over a whole sequence (`mask`), and what a cache holds after it (`keep`).

    Options that have a mask narrow the pass itself, and their cache holds what the mask will still show. Those that evict
    leave the pass whole and throw keys out once, when it is done; later keys are appended, or, where `ring` holds, take
    the oldest one's place.

    >>> from heedful.manage.options.window import Window
    >>> option = Window(256, 4)
    >>> option.name, option.kept(8192), option.attended(8192), sorted(option.phases)
    ('window(256,4)', 260, 2096250, ['decode', 'prefill'])
    """

    word: ClassVar[str]
    phases: ClassVar[frozenset[Phase]]
    ring: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """How the option is written, and read again by `table.parse`."""
        values = astuple(self)
        return f"{self.word}({','.join(map(str, values))})" if values else self.word

    @property
    def drops(self) -> bool:
        """Whether the head is not computed at all."""
        return False

    @property
    def shared(self) -> bool:
        """Whether all query heads of a key/value head must have it alike: what a cache keeps is theirs together."""
        return False

    def mask(self, causal: bool = True) -> Mask | None:
        """Where a query may look in a pass over a whole sequence, on top of the layer's own mask; None for anywhere.

        `causal`: whether the layer looks back only; a window is centred where it does not.
        """
        return None

    def later(self) -> Mask | None:
        """Where a query may look once the pass is done and the cache is a ring; None where nothing is overwritten."""
        return None

    def keep(self, seen: Seen, length: int) -> Int[Tensor, "b g n"] | None:
        """The keys, by index and rising, that stay in the cache after a pass over the first `length`; None for all of them."""
        return None

    @abstractmethod
    def kept(self, length: int) -> int:
        """How many keys a key/value head holds after a pass over `length`."""

    @abstractmethod
    def attended(self, length: int, causal: bool = True) -> int:
        """How many pairs of a query and a key one query head computes in a pass over `length`."""

    def __str__(self) -> str:
        return self.name


def number(option: str, name: str, value: object, least: int) -> None:
    """Refuse anything but a whole number of `least` or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{option}: {name} is a whole number of {least} or more, found {value!r}")
