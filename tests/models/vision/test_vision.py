"""Models of pictures: every gate and kind learns a rule, is what it says, and refuses what does not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from heedful.errors import ShapeError, UsageError
from heedful.models.vision.build import build_picture_classifier
from heedful.models.vision.detector import Detector
from heedful.models.vision.patches import GridPlaces, cut, joined
from heedful.models.vision.picture_model import PictureModel, measured
from heedful.models.vision.unet import UNet
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, SpecError
from heedful.spec.vision import ConvolutionalSpec, DetectorSpec, ResidualSpec, UNetSpec, VisionTransformerSpec

GATES = ("none", "se", "eca", "cbam", "lpw", "laa", "attention_gate")
SHAPE = {"labels": ("left", "right"), "size": 8, "channels": 1}
SMALL = {"stem": 4, "widths": (8, 8)}


def sides(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures with a bright half, and which half it is."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.rand(count, 1, 8, 8, generator=generator)
    labels = torch.arange(count) % 2
    x[labels == 0, :, :, :4] += 0.5
    x[labels == 1, :, :, 4:] += 0.5
    return x, labels


def learnt(model: PictureModel, steps: int = 30) -> float:
    """The accuracy on pictures that were not learnt from."""
    x, labels = sides(64)
    optimiser = torch.optim.AdamW(model.parameters(), 0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        cross_entropy(model(x).logits, labels).backward()
        optimiser.step()
    fresh, truth = sides(64, seed=1)
    return float((model.eval()(fresh).logits.argmax(1) == truth).double().mean())


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("kind", [ConvolutionalSpec, ResidualSpec])
def test_every_gate_stands_in_every_network(gate: str, kind: type) -> None:
    torch.manual_seed(0)
    model = build_picture_classifier(kind(**SHAPE, **SMALL, gate=MechanismSpec(gate)))
    bare = build_picture_classifier(kind(**SHAPE, **SMALL))
    size, plain = (sum(weight.numel() for weight in each.parameters()) for each in (model, bare))
    assert size > plain or gate == "none"
    assert learnt(model) > 0.9


@pytest.mark.parametrize("grid", ["learned", "sinusoidal"])
@pytest.mark.parametrize("stem", [(), (4,)])
def test_a_transformer_tells_sides_by_its_places(grid: str, stem: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    spec = VisionTransformerSpec(**SHAPE, patch=2, stem=stem, grid=grid, width=16, layers=1, heads=2)  # type: ignore[arg-type]
    assert learnt(build_picture_classifier(spec), 60) > 0.9


def test_any_mechanism_serves_the_patches() -> None:
    attention = AttentionSpec(score=MechanismSpec("cosine"), mask=(MechanismSpec("window", {"size": 3, "ahead": 2}),))
    spec = VisionTransformerSpec(**SHAPE, patch=2, width=16, layers=2, heads=2, attention=attention, gate=MechanismSpec("se"))
    found = build_picture_classifier(spec).eval()(torch.rand(3, 1, 8, 8), trace=True)
    assert len(found.traces) == 2
    assert float(found.traces[0].weights[..., 0, 8:].detach().abs().max()) == 0.0


def test_features_and_their_classes_are_the_whole_model() -> None:
    x = torch.rand(2, 1, 8, 8)
    for spec in (ResidualSpec(**SHAPE, **SMALL), VisionTransformerSpec(**SHAPE, patch=2, width=16, layers=1)):
        model = build_picture_classifier(spec).eval()
        assert torch.equal(model.classified(model.features(x)), model(x).logits)


def test_patches_are_put_together_again() -> None:
    x = torch.rand(2, 3, 12, 12)
    assert torch.equal(joined(cut(x, 4), 4, 3), x)


def test_places_tell_rows_from_columns() -> None:
    table = GridPlaces("sinusoidal", 4, 8).table().view(4, 4, 8)
    assert torch.equal(table[1, 2, :4], table[1, 3, :4])
    assert torch.equal(table[1, 2, 4:], table[3, 2, 4:])
    assert not torch.equal(table[1, 2], table[2, 1])


def test_brightness_is_taken_from_the_data() -> None:
    model = build_picture_classifier(ResidualSpec(**SHAPE, **SMALL))
    pixels = torch.randint(0, 256, (50, 1, 8, 8), generator=torch.Generator().manual_seed(0)).byte()
    measured(model, pixels)
    normal = model.normal(pixels.float() / 255)
    assert abs(float(normal.mean())) < 1e-5
    assert float(normal.std()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("kind", [ConvolutionalSpec, ResidualSpec, VisionTransformerSpec])
def test_a_mirrored_model_says_the_same_of_a_picture_and_its_mirror_image(kind: type) -> None:
    more = {"patch": 2, "width": 16, "heads": 2, "layers": 1} if kind is VisionTransformerSpec else {"widths": (8,)}
    plain, mirrored = (build_picture_classifier(kind(**SHAPE, **more, mirrored=mirrored)) for mirrored in (False, True))
    mirrored.load_state_dict(plain.state_dict())
    x = torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(mirrored(x).logits, plain(x).logits)  # learning stays as it is
        mirrored.eval(), plain.eval()
        said, turned = (mirrored(each).logits for each in (x, x.flip(-1)))
        assert torch.equal(said, turned)
        assert torch.allclose(said, (plain(x).logits + plain(x.flip(-1)).logits) / 2)
        assert not torch.allclose(said, plain(x).logits)


def test_a_gated_unet_says_a_class_a_pixel_and_opens_its_gates() -> None:
    model = UNet(UNetSpec(**SHAPE, widths=(4, 8, 8)))
    assert model(torch.rand(2, 1, 8, 8)).logits.shape == (2, 8, 8, 3)
    assert len(model.gates) == 2
    assert len(UNet(UNetSpec(**SHAPE, widths=(4, 8), gated=False)).gates) == 0


@pytest.mark.parametrize("blocks", [0, 2])
def test_a_detector_proposes_at_every_place_and_decides_with_its_queries(blocks: int) -> None:
    model = Detector(DetectorSpec(**SHAPE, stem=(4,), blocks=blocks, width=16, layers=2, heads=2, queries=3)).eval()
    assert sum(isinstance(each, nn.Conv2d) for each in model.stem.modules()) == 1 + 2 * blocks
    found = model(torch.rand(2, 1, 8, 8), trace=True)
    assert found.proposed.boxes.shape == (2, 16, 4)
    assert [each.boxes.shape for each in found.said] == [(2, 3, 4)] * 2
    assert found.traces[0].weights.shape == (2, 2, 3, 16)
    assert float(found.said[-1].boxes.detach().min()) > 0.0
    assert float(found.said[-1].boxes.detach().max()) < 1.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match=r"needs model\.size"):
        build_picture_classifier(ResidualSpec())
    with pytest.raises(ShapeError, match=r"reads pictures \(b, 1, 8, 8\)"):
        build_picture_classifier(ResidualSpec(**SHAPE))(torch.rand(1, 1, 9, 9))
    with pytest.raises(UsageError, match="says no class of a picture"):
        build_picture_classifier(DecoderSpec())
    with pytest.raises(SpecError, match="do not divide pictures of 8"):
        VisionTransformerSpec(**SHAPE, patch=3)
    with pytest.raises(UsageError, match="unknown gate"):
        build_picture_classifier(ResidualSpec(**SHAPE, gate=MechanismSpec("sse")))
