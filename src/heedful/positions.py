"""The positions: how the places of queries and keys enter. One class a scheme; `POSITIONS` is the table of them all."""

from heedful.attention.positions.alibi import ALiBi, published_slopes
from heedful.attention.positions.learned import Learned
from heedful.attention.positions.position import Position
from heedful.attention.positions.rope import RoPE
from heedful.attention.positions.rotary import turn
from heedful.attention.positions.scaling import LinearScaling, Llama3Scaling, NTKScaling, Scaling, YaRNScaling
from heedful.attention.positions.sinusoidal import Sinusoidal
from heedful.attention.positions.t5 import T5RelativeBias
from heedful.attention.positions.table import POSITIONS

__all__ = [
    "POSITIONS",
    "ALiBi",
    "Learned",
    "LinearScaling",
    "Llama3Scaling",
    "NTKScaling",
    "Position",
    "RoPE",
    "Scaling",
    "Sinusoidal",
    "T5RelativeBias",
    "YaRNScaling",
    "published_slopes",
    "turn",
]
