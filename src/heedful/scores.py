"""The scores: how well a query matches a key. One class a formula; `SCORES` is the table of them all."""

from heedful.attention.scores.additive import Additive
from heedful.attention.scores.biased import Biased
from heedful.attention.scores.concat import Concat
from heedful.attention.scores.content_biased import ContentBiased
from heedful.attention.scores.cosine import Cosine
from heedful.attention.scores.dot import Dot
from heedful.attention.scores.general import General
from heedful.attention.scores.query_biased import QueryBiased
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.scores.score import AsDot, Score
from heedful.attention.scores.table import SCORES

__all__ = [
    "SCORES",
    "Additive",
    "AsDot",
    "Biased",
    "Concat",
    "ContentBiased",
    "Cosine",
    "Dot",
    "General",
    "QueryBiased",
    "ScaledDot",
    "Score",
]
