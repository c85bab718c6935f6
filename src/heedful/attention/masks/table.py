"""Every mask, one row each."""

from __future__ import annotations

import torch
from torch import Tensor

from heedful.attention.masks.bigbird import BigBird
from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.dilated import Dilated
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Index, Mask, Truth
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.random import Random
from heedful.attention.masks.rule import Rule
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.strided import Strided
from heedful.attention.masks.window import Window
from heedful.attention.mechanism import Mechanism, Shape


def halves(shape: Shape) -> Tensor:
    """Document numbers (b, k): the first half 0, the second 1."""
    return (torch.arange(shape.k) * 2 // max(shape.k, 1)).expand(shape.batch, -1)


def shortened(shape: Shape) -> Tensor:
    """Lengths (b,): the first sequence whole, each next one a key shorter."""
    return (shape.k - torch.arange(shape.batch)).clamp(min=min(1, shape.k))


def near_or_even(b: Index, h: Index, q: Index, k: Index) -> Truth:
    """A query's own key and every even one."""
    return (k == q) | (k % 2 == 0)


MASKS: tuple[Mechanism[Mask], ...] = (
    Mechanism(
        name="causal",
        kind=Causal,
        formula="k ≤ q",
        source="Vaswani 2017, arXiv 1706.03762",
        build=lambda s, o: Causal(**o),
        plain=True,
        article="002 masks (which mark blocked places with 1)",
        cost="about ½ of the pairs",
    ),
    Mechanism(
        name="window",
        kind=Window,
        formula="q − size < k ≤ q + ahead",
        source="Beltagy 2020, arXiv 2004.05150",
        build=lambda s, o: Window(**{"size": max(1, s.k // 4), **o}),
        cost="q(size + ahead) pairs",
    ),
    Mechanism(
        name="sinks",
        kind=Sinks,
        formula="k < n",
        source="Xiao 2023, arXiv 2309.17453",
        build=lambda s, o: Sinks(**{"n": min(4, s.k), **o}),
        cost="qn pairs",
    ),
    Mechanism(
        name="prefix",
        kind=Prefix,
        formula="k < n_b",
        source="Raffel 2020, arXiv 1910.10683",
        build=lambda s, o: Prefix(**{"n": max(1, s.k // 2), **o}),
        cost="qn pairs",
    ),
    Mechanism(
        name="documents",
        kind=Documents,
        formula="id_q = id_k",
        source="Krell 2021, arXiv 2107.02027",
        build=lambda s, o: Documents(**{"ids": halves(s), **o}),
        cost="Σ n² pairs over documents of n",
    ),
    Mechanism(
        name="padding",
        kind=Padding,
        formula="k < length_b",
        source="Vaswani 2017, arXiv 1706.03762",
        build=lambda s, o: Padding(**{"lengths": shortened(s), **o}),
        cost="q length pairs",
    ),
    Mechanism(
        name="strided",
        kind=Strided,
        formula="(q − k) mod stride = 0",
        source="Child 2019, arXiv 1904.10509",
        build=lambda s, o: Strided(**{"stride": max(1, round(s.k**0.5)), **o}),
        cost="qk / stride pairs",
    ),
    Mechanism(
        name="dilated",
        kind=Dilated,
        formula="k = q − m·step, 0 ≤ m < size",
        source="Beltagy 2020, arXiv 2004.05150",
        build=lambda s, o: Dilated(**{"size": max(1, s.k // 4), "step": 2, **o}),
        cost="q size pairs",
    ),
    Mechanism(
        name="blocks",
        kind=Blocks,
        formula="⌊q / size⌋ = ⌊k / size⌋",
        source="Qiu 2019, arXiv 1911.02972",
        build=lambda s, o: Blocks(**{"size": max(1, s.k // 4), **o}),
        cost="q size pairs",
    ),
    Mechanism(
        name="random",
        kind=Random,
        formula="k among n keys drawn for q",
        source="Zaheer 2020, arXiv 2007.14062",
        build=lambda s, o: Random(**{"keys": max(1, s.k // 4), **o}),
        cost="q keys pairs",
    ),
    Mechanism(
        name="bigbird",
        kind=BigBird,
        formula="near, shared or drawn blocks",
        source="Zaheer 2020, arXiv 2007.14062",
        build=lambda s, o: BigBird(**{"block": max(1, s.k // 16), "random": 1, **o}),
        cost="q block (window + sinks + random) pairs",
    ),
    Mechanism(
        name="dense",
        kind=Dense,
        formula="M_bhqk",
        source="any table",
        build=lambda s, o: Dense(**{"tensor": (torch.arange(s.q)[:, None] + torch.arange(s.k)) % 3 != 1, **o}),
        cost="as many as are True",
    ),
    Mechanism(
        name="rule",
        kind=Rule,
        formula="f(b, h, q, k)",
        source="any function; He 2024, FlexAttention, arXiv 2412.05496",
        build=lambda s, o: Rule(**{"fn": near_or_even, **o}),
        cost="as many as are True",
    ),
)
