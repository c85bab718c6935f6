"""Every gate, one row each."""

from __future__ import annotations

from heedful.attention.mechanism import Mechanism
from heedful.layers.gates.attention_gate import AttentionGate
from heedful.layers.gates.cbam import CBAM
from heedful.layers.gates.efficient_channel import EfficientChannelAttention
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation

GATES: tuple[Mechanism[Gate], ...] = (
    Mechanism(
        name="squeeze_excitation",
        kind=SqueezeExcitation,
        formula="x ⊙ σ(W_s φ(mean(x) W_a) + b)",
        source="Hu 2018, arXiv 1709.01507",
        build=lambda s, o: SqueezeExcitation(**{"dim": s.d, **o}),
        article="003 SE",
        cost="4 n m r causal, 4 m r not",
        aliases=("se",),
    ),
    Mechanism(
        name="positional_weighting",
        kind=PositionalWeighting,
        formula="(p ⊙ x) W_w + x W_x,  p = x w_p + e",
        source="FORMULAS reading of article 003; compare Liu 2021, arXiv 2105.08050",
        build=lambda s, o: PositionalWeighting(**{"dim": s.d, "length": s.q, **o}),
        article="003 LPW",
        cost="4 n m² + 2 n m",
        aliases=("lpw",),
    ),
    Mechanism(
        name="layerwise_adaptive",
        kind=LayerwiseAdaptiveAttention,
        formula="(p ⊙ x) W_w + x W_x + a_l ⊙ x,  a_l = σ(x w_l + b_l)",
        source="FORMULAS reading of article 003; compare Graves 2016, arXiv 1603.08983",
        build=lambda s, o: LayerwiseAdaptiveAttention(**{"dim": s.d, "length": s.q, **o}),
        article="003 LAA",
        cost="4 n m² + 4 n m",
        aliases=("laa",),
    ),
    Mechanism(
        name="efficient_channel",
        kind=EfficientChannelAttention,
        formula="x ⊙ σ(w ∗ mean(x) + b)",
        source="Wang 2020, arXiv 1910.03151",
        build=lambda s, o: EfficientChannelAttention(**{"dim": s.d, **o}),
        cost="2 n m w causal, 2 m w not",
        aliases=("eca",),
    ),
    Mechanism(
        name="cbam",
        kind=CBAM,
        formula="x ⊙ C ⊙ S,  C = σ(mlp(mean x) + mlp(max x)),  S = σ(w ∗ [mean; max](x ⊙ C))",
        source="Woo 2018, arXiv 1807.06521",
        build=lambda s, o: CBAM(**{"dim": s.d, **o}),
        cost="6 n m r causal, 6 m r not; + 4 n w",
    ),
    Mechanism(
        name="attention_gate",
        kind=AttentionGate,
        formula="x ⊙ σ(ψᵀ relu(W_x x + W_g g + b_g) + b_ψ)",
        source="Oktay 2018, arXiv 1804.03999",
        build=lambda s, o: AttentionGate(**{"dim": s.d, **o}),
        cost="4 n m a + 2 n a",
    ),
)
