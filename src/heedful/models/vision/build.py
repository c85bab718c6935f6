"""From a spec to the model of pictures it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.vision.convolutional import Convolutional
from heedful.models.vision.transformer import VisionTransformer
from heedful.spec.task import RunModel
from heedful.spec.vision import ConvolutionalSpec, ResidualSpec, VisionTransformerSpec

PictureClassifier = Convolutional | VisionTransformer
PictureClassifierSpec = ConvolutionalSpec | ResidualSpec | VisionTransformerSpec
KINDS = ("cnn", "residual", "vit")


def build_picture_classifier(spec: RunModel) -> PictureClassifier:
    """The model of this spec that says a class, freshly started from torch's generator.

    >>> type(build_picture_classifier(ResidualSpec(labels=("a", "b"), size=8, channels=1))).__name__
    'Convolutional'

    Errors: `UsageError` for a model of something else.
    """
    asked = picture_classifying(spec)
    return VisionTransformer(asked) if isinstance(asked, VisionTransformerSpec) else Convolutional(asked)


def picture_classifying(spec: RunModel) -> PictureClassifierSpec:
    """The spec, if it says the class of a picture."""
    if not isinstance(spec, PictureClassifierSpec):
        raise UsageError(f"model.kind is {spec.kind}, which says no class of a picture: {', '.join(KINDS)} do")
    return spec
