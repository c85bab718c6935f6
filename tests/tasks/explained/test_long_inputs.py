"""Long inputs: no tensor of length x length where a method says that it needs none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.quick import Quick
from heedful.explanations.methods.relevance import Relevance
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.value_norms import ValueNorms
from heedful.models.classifiers import build_classifier
from heedful.spec import EncoderSpec
from heedful.tasks.explained.subjects import subject_of

LENGTH = 2048


class Largest(TorchDispatchMode):
    """The size of the largest tensor that any operation gives."""

    found = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, tuple | list) else (out,):
            if isinstance(each, torch.Tensor):
                self.found = max(self.found, each.untyped_storage().nbytes() // each.element_size())
        return out


@pytest.mark.parametrize(
    "method", [Attention(), Rollout(), Relevance(), ValueNorms(), Quick(), Measured(top=2)], ids=lambda each: each.name
)
def test_nothing_is_as_large_as_all_pairs(method: Method) -> None:
    torch.manual_seed(0)
    model = build_classifier(EncoderSpec(vocabulary=11, labels=("a", "b"), context=LENGTH, width=8, layers=2, heads=2)).eval()
    subject = subject_of(model, torch.arange(LENGTH) % 11)
    with Largest() as largest:
        scores = method.explained(subject)
    assert scores.isfinite().all()
    assert largest.found < LENGTH * LENGTH // 2
