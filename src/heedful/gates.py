"""Gates: layers that scale features by what they read in them."""

from heedful.layers.gates.attention_gate import AttentionGate
from heedful.layers.gates.cbam import CBAM
from heedful.layers.gates.efficient_channel import EfficientChannelAttention
from heedful.layers.gates.gate import Gate, GateState
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.meter import Spending, spending
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.layers.gates.table import GATES

__all__ = [
    "CBAM",
    "GATES",
    "AttentionGate",
    "EfficientChannelAttention",
    "Gate",
    "GateState",
    "LayerwiseAdaptiveAttention",
    "PositionalWeighting",
    "Spending",
    "SqueezeExcitation",
    "spending",
]
