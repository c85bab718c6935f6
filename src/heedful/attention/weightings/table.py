"""Every weighting of the catalogue, one row each."""

from __future__ import annotations

from heedful.attention.mechanism import Mechanism
from heedful.attention.weightings.entmax15 import Entmax15
from heedful.attention.weightings.normalise import Normalise
from heedful.attention.weightings.sigmoid import Sigmoid
from heedful.attention.weightings.softmax import Softmax
from heedful.attention.weightings.sparsemax import Sparsemax
from heedful.attention.weightings.topk import TopK
from heedful.attention.weightings.weighting import Weighting

WEIGHTINGS: tuple[Mechanism[Weighting], ...] = (
    Mechanism(
        name="softmax",
        kind=Softmax,
        formula="w = exp(s) / Σ exp(s)",
        source="Bahdanau 2015, arXiv 1409.0473",
        build=lambda s, o: Softmax(**o),
        plain=True,
        article="softmax, in every article",
        cost="5qk",
    ),
    Mechanism(
        name="sparsemax",
        kind=Sparsemax,
        formula="w = [s - τ]₊, Σ w = 1",
        source="Martins 2016, arXiv 1602.02068",
        build=lambda s, o: Sparsemax(**o),
        plain=True,
        cost="qk log k",
    ),
    Mechanism(
        name="entmax15",
        kind=Entmax15,
        formula="w = [s/2 - τ]₊², Σ w = 1",
        source="Peters 2019, arXiv 1905.05702",
        build=lambda s, o: Entmax15(**o),
        plain=True,
        cost="qk log k",
        aliases=("entmax-1.5",),
    ),
    Mechanism(
        name="sigmoid",
        kind=Sigmoid,
        formula="w = σ(s + bias)",
        source="Ramapuram 2024, arXiv 2409.04431",
        build=lambda s, o: Sigmoid(**o),
        plain=True,
        cost="4qk",
    ),
    Mechanism(
        name="topk",
        kind=TopK,
        formula="w = softmax(s) over the k best keys",
        source="Gupta 2021, arXiv 2106.06899",
        build=lambda s, o: TopK(**{"k": min(8, s.k), **o}),
        cost="6qk",
        aliases=("top-k",),
    ),
    Mechanism(
        name="normalise",
        kind=Normalise,
        formula="w = s / Σ s, s ≥ 0",
        source="Katharopoulos 2020, arXiv 2006.16236",
        build=lambda s, o: Normalise(**o),
        plain=True,
        cost="2qk",
    ),
)
