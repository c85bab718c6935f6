"""Pictures, against the models themselves: cells that are taken away, gradients of pixels, boxes that move, items that are known."""

from __future__ import annotations

import warnings

import pytest
import torch
from tests.tasks.explained.conftest import stirred
from torch import Tensor, nn

import heedful
from heedful.data.images.batches import SceneBatch
from heedful.errors import Unsupported, UsageError
from heedful.explanations.explanation import explained
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.integrated_gradients import IntegratedGradients
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.relevance import Relevance
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.table import METHODS
from heedful.models.vision.build import build_picture_classifier
from heedful.models.vision.detector import Detector
from heedful.models.vision.unet import UNet
from heedful.spec.vision import ConvolutionalSpec, DetectorSpec, UNetSpec, VisionTransformerSpec
from heedful.tasks.explained.pictures import Picture, side_of
from heedful.tasks.explained.samples.pictures import of_scene
from heedful.tasks.explained.seen import BoxReader, of_box, of_picture, of_pixels, overlaps
from heedful.tasks.image.classes.maps import rollout

LABELS = ("boot", "bag", "hat")
SIZE = 16


@pytest.fixture
def pixels() -> Tensor:
    return torch.randint(0, 256, (3, SIZE, SIZE), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.fixture
def vit() -> nn.Module:
    torch.manual_seed(0)
    return stirred(build_picture_classifier(VisionTransformerSpec(labels=LABELS, size=SIZE, channels=3, patch=4, width=16, layers=2)))


@pytest.fixture
def cnn() -> nn.Module:
    torch.manual_seed(0)
    return stirred(build_picture_classifier(ConvolutionalSpec(labels=LABELS, size=SIZE, channels=3, stem=4, widths=(8,))))


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    model = stirred(Detector(DetectorSpec(labels=LABELS, size=SIZE, channels=3, stem=(8,), width=16, layers=1, queries=3))).float()
    assert isinstance(model, Detector)
    return model


def of(model: nn.Module, pixels: Tensor, **asked: object) -> Picture:
    found = heedful.explain(model, pixels, method="occlusion", **asked).subject
    assert isinstance(found, Picture)
    return found


@pytest.mark.parametrize("kind", ["vit", "cnn"])
def test_a_cell_that_is_taken_away_is_painted_over(kind: str, pixels: Tensor, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    subject = of(model, pixels, target="bag", contrast="hat")
    kept = torch.ones(2, subject.count, dtype=torch.bool)
    kept[1, 1] = False
    painted = (pixels.double() / 255).float().double()
    side = subject.cell
    painted[:, :side, side : 2 * side] = model.mean
    with torch.no_grad():
        logs = [model(x[None]).logits[0].log_softmax(-1) for x in ((pixels.float() / 255).double(), painted)]
    for value, log in zip(subject.scored(kept).tolist(), logs, strict=True):
        assert value == pytest.approx(float(log[1] - log[2]), abs=1e-9)
    blurred = subject.scored(kept, "mask")
    assert blurred[0] == subject.scored(kept)[0]
    assert blurred[1] != subject.scored(kept)[1]
    with pytest.raises(UsageError, match="a blur"):
        subject.scored(kept, "delete")


@pytest.mark.parametrize("kind", ["vit", "cnn"])
def test_gradients_are_captums_over_the_pixels_of_each_cell(kind: str, pixels: Tensor, request: pytest.FixtureRequest) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.attr import IntegratedGradients as Theirs
    model = request.getfixturevalue(kind)
    subject = of(model, pixels, target="bag")
    x = (pixels.float() / 255).double()[None]
    theirs = Theirs(lambda given: model(given).logits.log_softmax(-1)[:, 1]).attribute(
        x, model.mean.expand_as(x[0])[None], n_steps=16, method="gausslegendre"
    )
    side = subject.cell
    cells = theirs[0].sum(0).unfold(0, side, side).unfold(1, side, side).sum((2, 3)).flatten()
    assert (IntegratedGradients(steps=16).scores(subject) - cells).abs().max() <= 1e-9


def test_a_transformers_attention_is_over_its_patches(vit: nn.Module, pixels: Tensor) -> None:
    subject = of(vit, pixels)
    with torch.no_grad():
        output = vit((pixels.float() / 255).double()[None], trace=True)
    torch.testing.assert_close(Rollout().scores(subject), rollout(output.traces, output.pooled[0]))
    expected = torch.stack([output.pooled[0] @ trace.weights[0].mean(0) for trace in output.traces]).mean(0)
    torch.testing.assert_close(Attention().scores(subject), expected)


def test_convolutions_have_no_attention_and_say_so(cnn: nn.Module, pixels: Tensor) -> None:
    subject = of(cnn, pixels)
    assert subject.grid is not None
    assert subject.count == 64
    for method in METHODS:
        reason = method.why_not(subject)
        if method.name in ("measured", "quick", "input_gradient", "integrated_gradients", "occlusion", "shapley", "random"):
            assert reason is None
        else:
            assert reason is not None
            assert "convolves" in reason
    assert side_of(cnn, 1) == 8
    with pytest.raises(Unsupported, match="occlusion or measured would work"):
        Relevance().explained(subject)


def test_a_box_is_followed_where_it_goes(detector: Detector, pixels: Tensor) -> None:
    subject = of_box(detector, pixels, None, None)
    reader = subject.reader
    assert isinstance(reader, BoxReader)
    with torch.no_grad():
        last = detector((pixels.float() / 255)[None]).said[-1]
    chances = last.logits[0].sigmoid()
    assert float(subject.scored(subject.whole()).exp()) == pytest.approx(float(chances.max()), rel=16 * 2.0**-24)  # the overlap with itself
    second = of_box(detector, pixels, "2", None)
    assert float(second.scored(second.whole())) <= float(subject.scored(subject.whole()))
    assert of_box(detector, pixels, "bag", "hat").contrast == "hat"
    for asked, words in ((("9", None), "1 to 3"), (("shoe", None), "boot"), (("bag", "bag"), "another contrast")):
        with pytest.raises(UsageError, match=words):
            of_box(detector, pixels, *asked)
    names = [look.name for look in subject.looked().layers]
    assert names == ["reading layer 1", "writing, layer 1", "looking across, layer 1"]
    assert len(Relevance().scores(subject)) == len(Attention().scores(subject)) == detector.side**2


def test_pixels_of_a_class_are_explained_where_they_are(pixels: Tensor) -> None:
    torch.manual_seed(0)
    model = stirred(UNet(UNetSpec(labels=LABELS, size=SIZE, channels=3, widths=(4, 8))))
    assert isinstance(model, UNet)
    with torch.no_grad():
        assert model.head.bias is not None
        model.head.bias[0] -= 1.0  # so that not all is ground
        logits = model((pixels.float() / 255).double()[None]).logits[0]
    there = logits.argmax(-1)
    best = 1 + int(torch.bincount(there.flatten(), minlength=4)[1:].argmax())
    subject = of_pixels(model, pixels)
    assert subject.answer == LABELS[best - 1]
    assert float(subject.scored(subject.whole())) == pytest.approx(float(logits.log_softmax(-1)[..., best][there == best].mean()), abs=1e-9)
    with torch.no_grad():
        model.head.bias[:2] = torch.tensor([9.0, -9.0])
    assert of_pixels(model, pixels).answer == "none"
    with pytest.raises(UsageError, match="no pixel was found to be of boot: none would work"):
        of_pixels(model, pixels, "boot")


def test_scenes_know_which_cells_an_item_is_on(detector: Detector, pixels: Tensor) -> None:
    subject = of_box(detector, pixels)
    assert isinstance(subject.reader, BoxReader)
    labels = torch.zeros(1, SIZE, SIZE, dtype=torch.long)
    labels[0, 4:6, 8:12] = 2
    boxes = torch.tensor([[list(subject.reader.box)]])
    scene = SceneBatch(pixels[None], labels, torch.tensor([[1]]), boxes)
    found = of_scene(detector, scene, 0)
    assert isinstance(found, Picture)
    assert found.truth is None or found.truth.sure.view(8, 8).nonzero().tolist() == [[2, 4], [2, 5]]
    elsewhere = SceneBatch(pixels[None], labels, torch.tensor([[1]]), torch.tensor([[[0.01, 0.01, 0.02, 0.02]]]))
    assert of_scene(detector, elsewhere, 0).truth is None


def test_overlaps_are_shares_of_the_union() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.5, 0.5], [0.9, 0.9, 0.1, 0.1], [0.5, 0.5, 0.25, 0.5]]])
    torch.testing.assert_close(overlaps(boxes, (0.5, 0.5, 0.5, 0.5)), torch.tensor([[1.0, 0.0, 0.5]]))


def test_a_picture_is_drawn_with_its_cells(vit: nn.Module, pixels: Tensor, tmp_path: object) -> None:
    found = explained(of_picture(vit, pixels), Occlusion())  # type: ignore[arg-type]
    page = found.html()
    assert page.count("data:image/png") == 3
    assert "row 1, column 1" in page
    assert len(found.plot().axes) == 2
