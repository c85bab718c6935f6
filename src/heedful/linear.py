"""Linear attention: a cost that grows with the length and not its square. `FEATURE_MAPS` is the table of its kernels."""

from heedful.attention.linear.attention import linear_attention, step
from heedful.attention.linear.elu1 import Elu1
from heedful.attention.linear.feature_map import FeatureMap
from heedful.attention.linear.kernel import Kernel
from heedful.attention.linear.random_features import RandomFeatures
from heedful.attention.linear.state import State
from heedful.attention.linear.table import FEATURE_MAPS

__all__ = ["FEATURE_MAPS", "Elu1", "FeatureMap", "Kernel", "RandomFeatures", "State", "linear_attention", "step"]
