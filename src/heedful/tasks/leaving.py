"""What leaves a model on its way through the layers: what is asked of it, and the refusal of what does not pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heedful.errors import HeedfulError, UsageError


@dataclass(frozen=True)
class Asked:
    """Where the model goes, after which `layers` tokens or texts may leave (None: to be chosen), and the nats that this may lose.

    `data` and `length` are as for the model; `slower`: it is written even where the clock says that it does not pay.
    """

    out: Path
    layers: Sequence[int] | None
    epsilon: float
    data: str | None = None
    length: int | None = None
    overwrite: bool = False
    slower: bool = False

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise UsageError(f"--epsilon is {self.epsilon:g}: the nats a token (a text) that may be lost, above 0")

    def refuse_slower(self, what: str, milliseconds: tuple[float, float]) -> None:
        """Raise `HeedfulError` where the second time, with `what`, is the greater.

        >>> Asked(Path("out"), None, 0.01).refuse_slower("exits", (1.0, 0.8))
        >>> Asked(Path("out"), None, 0.01).refuse_slower("exits", (1.0, 1.2))
        Traceback (most recent call last):
        heedful.errors.HeedfulError: exits make it slower: 1.2 ms, and 1 without; nothing was written (--slower would write it all the same)
        """
        before, now = milliseconds
        if now > before and not self.slower:
            raise HeedfulError(
                f"{what} make it slower: {now:.3g} ms, and {before:.3g} without; nothing was written (--slower would write it all the same)"
            )
