"""What models of pictures learn by: the loss of a batch, its pictures varied while learning and as they are when judged."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heedful.data.images.augment import mixed, varied
from heedful.data.images.batches import ImageBatch, SceneBatch
from heedful.models.vision.filler import FilledOutput
from heedful.models.vision.picture_model import PictureOutput
from heedful.spec.images import AugmentSpec
from heedful.train.objective import Carry, Objective, Outcome


def class_of_picture(augment: AugmentSpec, smoothing: float = 0.0) -> Objective:
    """Cross entropy of the class of every picture; of mixed pictures that of both classes, by their shares."""

    def objective(model: nn.Module, batch: ImageBatch, carry: Carry) -> Outcome:
        x = numbers(batch.pixels)
        if not model.training:
            output: PictureOutput = model(x)
            return Outcome(cross_entropy(output.logits.float(), batch.labels), output.logits)
        found = mixed(varied(x, augment), batch.labels, augment.mixup)
        output = model(found.pixels)
        logits = output.logits.float()
        loss = cross_entropy(logits, found.labels, label_smoothing=smoothing)
        if found.share < 1.0:
            loss = found.share * loss + (1.0 - found.share) * cross_entropy(logits, found.others, label_smoothing=smoothing)
        return Outcome(loss, output.logits)

    return objective


def numbers(pixels: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Bytes as numbers from 0 to 1."""
    return pixels.to(torch.float32).div_(255.0)


def class_of_pixels(model: nn.Module, batch: SceneBatch, carry: Carry) -> Outcome:
    """Cross entropy of the class of every pixel."""
    output: PictureOutput = model(numbers(batch.pixels))
    loss = cross_entropy(output.logits.float().flatten(0, -2), batch.labels.flatten())
    return Outcome(loss, output.logits)


def missing_patches(augment: AugmentSpec) -> Objective:
    """Half the mean square error of the patches that were left out: nats under a normal of spread 1, up to a constant."""

    def objective(model: nn.Module, batch: ImageBatch, carry: Carry) -> Outcome:
        x = numbers(batch.pixels)
        output: FilledOutput = model(varied(x, augment) if model.training else x)
        return Outcome(missed(output), None)

    return objective


def missed(output: FilledOutput) -> Float[Tensor, ""]:
    """Half the mean square of what was painted wrong where nothing was seen."""
    wrong = (output.painted.float() - output.patches.float()).square().mean(-1)
    return 0.5 * wrong[output.gone].mean()
