"""Every feature map of linear attention, one row each."""

from __future__ import annotations

from heedful.attention.linear.elu1 import Elu1
from heedful.attention.linear.feature_map import FeatureMap
from heedful.attention.linear.random_features import RandomFeatures
from heedful.attention.mechanism import Mechanism

FEATURE_MAPS: tuple[Mechanism[FeatureMap], ...] = (
    Mechanism(
        name="elu1",
        kind=Elu1,
        formula="φ(x) = elu(x) + 1",
        source="Katharopoulos 2020, arXiv 2006.16236",
        build=lambda s, o: Elu1(**o),
        plain=True,
        cost="4(q + k)dv",
        aliases=("elu+1",),
    ),
    Mechanism(
        name="random_features",
        kind=RandomFeatures,
        formula="φ(x) = exp(w · x - |x|²/2) / √f",
        source="Choromanski 2020, arXiv 2009.14794",
        build=lambda s, o: RandomFeatures(**{"d": s.d, **o}),
        cost="2(q + k)f(d + v)",
        aliases=("performer", "favor+"),
    ),
)
