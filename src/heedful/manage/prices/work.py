"""The work of a pass that is timed: groups of heads under their rules, as a planned layer computes them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.cost.measure import Run
from heedful.layers.multihead import MultiHeadAttention
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.apply.passing import passed
from heedful.manage.hosts.ours import site
from heedful.manage.options.option import Option, Phase
from heedful.manage.prices.price import Kind
from heedful.manage.prices.stopwatch import Stopwatch

MOST_PAIRS = 1 << 25  # in a run of several groups
NARROW = 8  # the width of a layer whose projections are not timed


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
        kind = self.kind
        self.q, self.k = (self.rows(heads, kind.d) for heads in (kind.heads, kind.kv_heads))
        self.v = self.rows(kind.heads + 2 * kind.kv_heads, kind.v)[:, -kind.kv_heads :]  # q and k were turned, v is a part of one product

    def rows(self, heads: int, width: int) -> Float[Tensor, "b n t d"]:
        """Heads side by side in each place."""
        s = self.setting
        return torch.randn(s.batch, s.length, heads, width, dtype=s.dtype, device=s.device).transpose(1, 2)

    def work(self, option: Option, heads: int, most: int | None = None) -> Work:
        """So many query heads that have an option, in the groups of one layer, `most` of them at most."""
        mask, starts = rule(self.kind, option), self.starts(option, heads)[:most]
        groups = [self.group(at, heads) for at in starts]

        planned = self.planned(option, heads, groups[0][1].shape[1])

        def run() -> None:
            self.watch.cool()
            outs = [attend(q, k, v, mask=mask) if planned is None else passed(planned, q, k, v, None, None) for q, k, v in groups]
            if len(outs) > 1:
                torch.cat([out.transpose(1, 2) for out in outs], dim=2)  # as a layer of several groups hands them on

        return Work(run, len(groups))

    def group(self, at: int, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of `heads` heads from `at` on, and the keys and values they read."""
        keys = self.keys(at, heads)
        return self.q[:, at : at + heads], self.k[:, keys], self.v[:, keys]

    def planned(self, option: Option, heads: int, shared: int) -> PlannedAttention | None:
        """A layer of that many heads, all with one option, on so many key/value heads; None where none can be made."""
        if self.kind.d != self.kind.v or self.kind.crossing:
            return None
        layer = MultiHeadAttention(NARROW, heads, kv_heads=shared, head_dim=self.kind.d, mask="causal" if self.kind.causal else None)
        planned = PlannedAttention(layer, site(0, "layer", layer), [option.name] * heads)
        planned.dense_below = 0
        return planned.eval()

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
