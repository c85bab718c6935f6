"""The weightings: how scores become weights. One class a rule; `WEIGHTINGS` is the table of them all."""

from heedful.attention.weightings.entmax15 import Entmax15
from heedful.attention.weightings.normalise import Normalise
from heedful.attention.weightings.sigmoid import Sigmoid
from heedful.attention.weightings.softmax import Softmax
from heedful.attention.weightings.sparsemax import Sparsemax
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.attention.weightings.topk import TopK
from heedful.attention.weightings.weighting import Weighting

__all__ = ["WEIGHTINGS", "Entmax15", "Normalise", "Sigmoid", "Softmax", "Sparsemax", "TopK", "Weighting"]
