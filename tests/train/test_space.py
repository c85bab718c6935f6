"""What may vary: ranges and choices from YAML, and what a model costs against its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from heedful.errors import UsageError
from heedful.spec.task import RunSpec
from heedful.train.tune.limits import Limits
from heedful.train.tune.space import Choices, Span, check_space, read_space, settings_of


def test_a_file_may_nest_its_fields_and_an_option_adds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("model:\n  width: [8, 16]\n  attention:\n    mask: [[], causal]\ntrain.steps: {low: 1, high: 9, step: 2}\n")
    space = read_space(path, ["train.clip={low: 0.1, high: 1}"])
    assert space == {
        "model.width": Choices((8, 16)),
        "model.attention.mask": Choices(([], "causal")),
        "train.steps": Span(1, 9, 2),
        "train.clip": Span(0.1, 1.0),
    }
    assert [space[name].whole for name in ("train.steps", "train.clip")] == [True, False]  # type: ignore[union-attr]
    assert settings_of({"model.attention.mask": []}) == ["model.attention.mask=[]"]


def test_one_choice_that_fails_beside_the_others_does_not_refuse_the_space() -> None:
    check_space(RunSpec(), {"model.heads": Choices((3, 4))})  # 3 heads do not divide the width of 128
    with pytest.raises(UsageError, match="heads"):
        check_space(RunSpec(), {"model.heads": Choices((3, 5))})


def test_the_excess_is_a_share_of_the_limit() -> None:
    assert Limits(operations=100, bytes=10).excess({"operations": 150.0, "bytes": 5.0}) == {"operations": 0.5, "bytes": -0.5}
