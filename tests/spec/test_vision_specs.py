"""Specs of pictures and of their models: told apart by kind, written and read back, refused by the field's own name."""

from __future__ import annotations

import pytest

from heedful.spec import ImageDataSpec, MechanismSpec, ResidualSpec, RunSpec, SceneDataSpec, SpecError, VisionTransformerSpec
from heedful.spec.plain import build, plain
from heedful.spec.vision import DetectorSpec, FillerSpec, UNetSpec
from heedful.spec.yaml import override

MODELS = (
    ResidualSpec(size=8, gate=MechanismSpec("cbam", {"kernel": 3})),
    VisionTransformerSpec(size=28, stem=(8,), patch=2),
    UNetSpec(size=32),
    DetectorSpec(size=64),
    FillerSpec(size=8, patch=2),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
@pytest.mark.parametrize("data", [ImageDataSpec("photos"), SceneDataSpec(items=2)], ids=lambda data: data.kind)
def test_a_run_is_written_and_read_back(model: ResidualSpec, data: ImageDataSpec) -> None:
    spec = RunSpec(task="image", data=data, model=model)
    assert build(RunSpec, plain(spec)) == spec
    assert (spec.model.vocabulary, spec.model.context >= 1) == (0, True)


def test_text_is_asked_for_by_name_where_there_are_pictures() -> None:
    with pytest.raises(SpecError, match=r"data\.kind: wants text for the task image, found images"):
        _ = RunSpec(task="image", data=ImageDataSpec()).texts


def test_another_kind_of_data_starts_from_its_own_defaults() -> None:
    spec = override(RunSpec(task="image", data=ImageDataSpec("photos", size=12)), ["data.kind=scenes", "data.items=2"])
    assert spec.data == SceneDataSpec(items=2)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ImageDataSpec(channels=2), r"channels: must be 1 \(grey\)"),
        (lambda: ImageDataSpec(validation=0.0), "validation: must be above 0"),
        (lambda: ImageDataSpec(validation=0.6, test=0.4), "leave nothing to train on"),
        (lambda: ImageDataSpec(learnt=0.0), r"learnt: must lie in \(0, 1\]"),
        (lambda: SceneDataSpec(smaller=2.0), "larger: must not be below smaller"),
        (lambda: ResidualSpec(widths=()), "widths: wants the channels of one stage"),
        (lambda: ResidualSpec(labels=("a",)), "labels: wants two classes or more"),
        (lambda: VisionTransformerSpec(width=30, heads=4), "4 heads do not divide width 30"),
        (lambda: VisionTransformerSpec(size=30, patch=4), "do not divide pictures of 30"),
        (lambda: UNetSpec(size=30), "30 is no multiple of 4"),
        (lambda: DetectorSpec(width=30, heads=2), "must be a multiple of 4"),
        (lambda: DetectorSpec(blocks=-1), "blocks"),
        (lambda: FillerSpec(left_out=1.0), "left_out: must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(make: object, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        make()  # type: ignore[operator]
