"""Which places of a picture counted: by attention rolled out through the layers, and by the gradient of a class.

Rollout: Abnar & Zuidema 2020, arXiv 2005.00928, §3. Gradients on feature maps: Jiang et al. 2021 (LayerCAM), eq. 4-6. Gradients on pixels,
averaged over small disturbances: Smilkov et al. 2017, arXiv 1706.03825.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.layers.trace import Trace
from heedful.models.vision.build import PictureClassifier

DRAWS: Final = 16
NOISE: Final = 0.1  # of the range of a pixel


def rollout(traces: Sequence[Trace], pooled: Float[Tensor, " t"]) -> Float[Tensor, " t"]:
    """What the pooled places read of each patch through all layers: half of each layer's stream is attention, half passes it by.

    >>> weights = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    >>> rollout([Trace(weights)], torch.tensor([1.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    reading = pooled.double()
    for trace in reversed(traces):
        reading = 0.5 * reading + 0.5 * (reading @ trace.weights[0].double().mean(0))
    return reading


def on_features(model: PictureClassifier, x: Float[Tensor, "1 c h w"], label: int) -> Float[Tensor, "y x"]:
    """Each feature times how much more of it would raise the class, where both are positive, summed over the channels."""
    with torch.enable_grad():
        features = model.features(x).detach().requires_grad_()
        score = model.classified(features)[0, label]
        (gradient,) = torch.autograd.grad(score, features)
    found: Tensor = (gradient.clamp(min=0) * features.detach()).sum(1).clamp(min=0)[0]
    return found


def on_pixels(model: PictureClassifier, x: Float[Tensor, "1 c h w"], label: int) -> Float[Tensor, "h w"]:
    """How much the class depends on each pixel: the mean size of its gradient over 16 disturbed pictures."""
    generator = torch.Generator().manual_seed(0)
    noise = NOISE * torch.randn(DRAWS, *x.shape[1:], generator=generator)
    with torch.enable_grad():
        disturbed = (x + noise.to(x.device)).requires_grad_()
        score = model(disturbed).logits[:, label].sum()
        (gradient,) = torch.autograd.grad(score, disturbed)
    return gradient.abs().mean(0).sum(0)
