"""Every score, one row each."""

from __future__ import annotations

from heedful.attention.mechanism import Mechanism
from heedful.attention.scores.additive import Additive
from heedful.attention.scores.biased import Biased
from heedful.attention.scores.concat import Concat
from heedful.attention.scores.content_biased import ContentBiased
from heedful.attention.scores.cosine import Cosine
from heedful.attention.scores.dot import Dot
from heedful.attention.scores.general import General
from heedful.attention.scores.query_biased import QueryBiased
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.scores.score import Score

SCORES: tuple[Mechanism[Score], ...] = (
    Mechanism(
        name="dot",
        kind=Dot,
        formula="q · k",
        source="Luong 2015, arXiv 1508.04025",
        build=lambda s, o: Dot(**o),
        plain=True,
        article="002 and 003 §2.2, without √d",
        cost="2qkd",
    ),
    Mechanism(
        name="scaled_dot",
        kind=ScaledDot,
        formula="q · k / √d",
        source="Vaswani 2017, arXiv 1706.03762",
        build=lambda s, o: ScaledDot(**o),
        plain=True,
        article='000 "dot product"; 001, 003 SDPA',
        cost="2qkd",
    ),
    Mechanism(
        name="cosine",
        kind=Cosine,
        formula="τ q · k / (‖q‖ ‖k‖)",
        source="Graves 2014, arXiv 1410.5401; learnable τ: Liu 2022, arXiv 2111.09883",
        build=lambda s, o: Cosine(**{"heads": s.heads if o.get("learnable") else None, **o}),
        plain=True,
        article='004 "cosine"',
        cost="2qkd + 3(q + k)d",
    ),
    Mechanism(
        name="general",
        kind=General,
        formula="qᵀ W k",
        source="Luong 2015, arXiv 1508.04025",
        build=lambda s, o: General(**{"d_q": s.d, "d_k": s.d, "heads": s.heads, **o}),
        cost="2qkd + 2qd²",
    ),
    Mechanism(
        name="additive",
        kind=Additive,
        formula="wᵀ tanh(W_q q + W_k k)",
        source="Bahdanau 2015, arXiv 1409.0473",
        build=lambda s, o: Additive(**{"d_q": s.d, "d_k": s.d, "hidden": s.d, "heads": s.heads, **o}),
        article="the classical additive",
        cost="4qka + 2(q + k)da",
    ),
    Mechanism(
        name="concat",
        kind=Concat,
        formula="vᵀ tanh(W [q ; k])",
        source="Luong 2015, arXiv 1508.04025",
        build=lambda s, o: Concat(**{"d_q": s.d, "d_k": s.d, "hidden": s.d, "heads": s.heads, **o}),
        article="004 hidden ⧺ encoder outputs",
        cost="4qka + 2(q + k)da",
    ),
    Mechanism(
        name="biased",
        kind=Biased,
        formula="q · k / √d + U",
        source="Raffel 2020, arXiv 1910.10683; Shaw 2018, arXiv 1803.02155",
        build=lambda s, o: Biased(**({"heads": s.heads, **o} if "radius" in o else {"heads": s.heads, "max_q": s.q, "max_k": s.k, **o})),
        article='000 "additive", softmax(QKᵀ/√d + U)V',
        cost="2qkd + qk",
    ),
    Mechanism(
        name="query_biased",
        kind=QueryBiased,
        formula="q · k / √d + q W",
        source="Tay 2021, arXiv 2005.00743; Shaw 2018, arXiv 1803.02155",
        build=lambda s, o: QueryBiased(
            **({"d": s.d, "heads": s.heads, **o} if "radius" in o else {"d": s.d, "max_k": s.k, "heads": s.heads, **o})
        ),
        article='000 "scaled", softmax(QKᵀ/√d + Q)V',
        cost="4qkd",
    ),
    Mechanism(
        name="content_biased",
        kind=ContentBiased,
        formula="q · k / √d + v · S_j",
        source="Dai 2019, arXiv 1901.02860",
        build=lambda s, o: ContentBiased(**{"d": s.d, "heads": s.heads, **o}),
        article='002 "additive", e^{q·k + v·s}',
        cost="2qkd + 2ke",
        aliases=("content_bias",),
    ),
)
