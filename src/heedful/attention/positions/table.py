"""Every position scheme, one row each."""

from __future__ import annotations

from heedful.attention.mechanism import Mechanism
from heedful.attention.positions.alibi import ALiBi
from heedful.attention.positions.learned import Learned
from heedful.attention.positions.position import Position
from heedful.attention.positions.rope import RoPE
from heedful.attention.positions.sinusoidal import Sinusoidal
from heedful.attention.positions.t5 import T5RelativeBias

POSITIONS: tuple[Mechanism[Position], ...] = (
    Mechanism(
        name="rope",
        kind=RoPE,
        formula="R(i) q · R(j) k, pair n turned by i · base^(-2n/d)",
        source="Su 2021, arXiv 2104.09864",
        build=lambda s, o: RoPE(**o),
        plain=True,
        cost="6(q + k)d",
        aliases=("rotary",),
    ),
    Mechanism(
        name="alibi",
        kind=ALiBi,
        formula="s - slope · |i - j|",
        source="Press 2021, arXiv 2108.12409",
        build=lambda s, o: ALiBi(**o),
        plain=True,
        cost="2qk",
    ),
    Mechanism(
        name="t5",
        kind=T5RelativeBias,
        formula="s + w[bucket(j - i)]",
        source="Raffel 2020, arXiv 1910.10683",
        build=lambda s, o: T5RelativeBias(**{"heads": s.heads, **o}),
        cost="qk",
        aliases=("t5_relative_bias",),
    ),
    Mechanism(
        name="sinusoidal",
        kind=Sinusoidal,
        formula="q + p(i), k + p(j), p = sin, cos of i / base^(2n/d)",
        source="Vaswani 2017, arXiv 1706.03762",
        build=lambda s, o: Sinusoidal(**o),
        plain=True,
        cost="(q + k)d",
    ),
    Mechanism(
        name="learned",
        kind=Learned,
        formula="q + E[i], k + E[j]",
        source="Gehring 2017, arXiv 1705.03122",
        build=lambda s, o: Learned(**{"max_positions": max(s.q, s.k), "d": s.d, **o}),
        cost="(q + k)d",
    ),
)
