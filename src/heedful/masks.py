"""The masks: rules that say which query may attend to which key, and their algebra `& | ~`; `MASKS` is the table of them all."""

from heedful.attention.masks.algebra import And, Not, Or
from heedful.attention.masks.at import At
from heedful.attention.masks.bigbird import BigBird
from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.dilated import Dilated
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.random import Random
from heedful.attention.masks.rule import Rule
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.strided import Strided
from heedful.attention.masks.table import MASKS
from heedful.attention.masks.window import Window

__all__ = [
    "MASKS",
    "And",
    "At",
    "BigBird",
    "Blocks",
    "Causal",
    "Dense",
    "Dilated",
    "Documents",
    "Lengths",
    "Mask",
    "Not",
    "Or",
    "Padding",
    "Prefix",
    "Random",
    "Rule",
    "Sinks",
    "Strided",
    "Window",
    "as_mask",
]
