"""From a spec to the ranker it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.ranker.history import HistoryRanker
from heedful.models.ranker.ranker import Ranker
from heedful.models.ranker.target import TargetRanker
from heedful.spec.ranker import RankerSpec
from heedful.spec.task import RunModel


def build_ranker(spec: RunModel) -> Ranker:
    """The ranker of this spec, freshly started from torch's generator.

    >>> type(build_ranker(RankerSpec(vocabulary=9, reading="pointwise"))).__name__
    'HistoryRanker'

    Errors: `UsageError` for a model that does not rank.
    """
    if not isinstance(spec, RankerSpec):
        raise UsageError(f"model.kind is {spec.kind}, which ranks no items: ranker would work")
    return TargetRanker(spec) if spec.reading == "target" else HistoryRanker(spec)
