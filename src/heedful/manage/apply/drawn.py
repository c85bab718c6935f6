"""What each key drew of the attention in a prompt, taken from the pass itself: options that evict by it need no second one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.select import Select
from heedful.attention.summary import Summary
from heedful.manage.options.h2o import HeavyHitters
from heedful.manage.seen import Heads, Seen

COLUMNS = ("columns",)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Drawn(Seen):
    """A call whose columns are known."""

    columns: Float[Tensor, "b h k"]

    def attend(
        self,
        mask: Mask | None = None,
        heads: Heads | None = None,
        *,
        summaries: Sequence[str] = (),
        return_weights: bool | Select = False,
    ) -> Any:
        """The columns as they were found, with no output beside them; anything else as it is computed."""
        if mask is None and heads is None and tuple(summaries) == COLUMNS and return_weights is False:
            return None, Summary(columns=self.columns)
        return Seen.attend(self, mask, heads, summaries=summaries, return_weights=return_weights)


def with_columns(seen: Seen, columns: Float[Tensor, "b h k"]) -> Drawn:
    """The call with its columns."""
    return Drawn(seen.site, seen.q, seen.k, seen.v, seen.options, columns)


def by_columns(option: object, length: int) -> bool:
    """Whether an option will ask for the columns of a prompt of that length."""
    return isinstance(option, HeavyHitters) and option.kept(length) < length
