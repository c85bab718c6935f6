"""The work of a pass that is timed: groups of heads under their rules, as a planned layer computes them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.cost.measure import Run
from heedful.manage.options.option import Option, Phase
from heedful.manage.prices.price import Kind
from heedful.manage.prices.stopwatch import Stopwatch

MOST_PAIRS = 1 << 25  # in a run of several groups


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and at which size: `length` tokens of each of `batch` texts; `layers` take turns in a step, as in a model."""

    length: int
    phase: Phase = "prefill"
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    batch: int = 1
    layers: int = 1


def label(kind: Kind, option: Option, setting: Setting) -> str:
    """What decides the time of an option: its mask in a pass, how many keys are kept in a step."""
    if setting.phase == "decode":
        return f"{option.kept(setting.length)} keys"
    return str(rule(kind, option))


def rule(kind: Kind, option: Option) -> Mask | None:
    """The layer's mask and the option's, as one."""
    mask, own = option.mask(kind.causal), Causal() if kind.causal else None
    return own if mask is None else mask if own is None else own & mask


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """Something to be timed that computes so many groups, one after the other: memory is then as warm as it is in a model."""

    run: Run
    groups: int


@dataclass(slots=True, eq=False)
class Passes:
    """Groups of heads of one kind of site in a pass: parts of the projections of all heads, as a layer leaves them."""

    kind: Kind
    setting: Setting
    watch: Stopwatch
    q: Tensor = field(init=False)
    k: Tensor = field(init=False)
    v: Tensor = field(init=False)

    def __post_init__(self) -> None:
        kind, s = self.kind, self.setting
        widths = ((kind.heads, kind.d), (kind.kv_heads, kind.d), (kind.kv_heads, kind.v))
        self.q, self.k, self.v = (torch.randn(s.batch, s.length, n, d, dtype=s.dtype, device=s.device).transpose(1, 2) for n, d in widths)

    def work(self, option: Option, heads: int) -> Work:
        """So many query heads that have an option, in the groups of one layer."""
        mask, starts = rule(self.kind, option), self.starts(option, heads)
        groups = [(self.q[:, at : at + heads], *(x[:, self.keys(at, heads)] for x in (self.k, self.v))) for at in starts]

        def run() -> None:
            for q, k, v in groups:
                self.watch.cool()
                attend(q, k, v, mask=mask)

        return Work(run, len(groups))

    def keys(self, at: int, heads: int) -> slice | list[int]:
        """The key/value heads that `heads` query heads from `at` on read: whole groups, or one for each."""
        ratio = self.kind.ratio
        whole = heads % ratio == 0 and at % ratio == 0
        return slice(at // ratio, (at + heads) // ratio) if whole else [head // ratio for head in range(at, at + heads)]

    def starts(self, option: Option, heads: int) -> list[int]:
        """The first heads of the groups of one layer, all of them unless they compute long enough to be warm or cold as they please."""
        pairs = option.attended(self.setting.length, self.kind.causal)
        most = max(1, MOST_PAIRS // max(pairs * heads, 1))
        return list(range(0, self.kind.heads - heads + 1, heads))[:most]
