"""A transformer that fills in the patches of a picture that were left out (He et al. 2022, arXiv 2111.06377).

The encoder reads only the patches that are there; a shallow decoder reads those, and one learned vector at the place of each that is not.
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.layers.norm import norm
from heedful.models import mechanisms
from heedful.models.start import start
from heedful.models.vision.patches import GridPlaces, cut, joined
from heedful.models.vision.picture_model import PictureModel
from heedful.models.vision.transformer import PatchEncoder
from heedful.spec.vision import FillerSpec


class FilledOutput(NamedTuple):
    """Every patch as the model would paint it (of pixels with mean 0 and spread 1), what they are, and which were left out."""

    painted: Float[Tensor, "b t n"]
    patches: Float[Tensor, "b t n"]
    gone: Bool[Tensor, "b t"]


@final
class Filler(PictureModel):
    """Pictures with holes to whole ones.

    >>> spec = FillerSpec(size=8, channels=1, patch=2, width=16, layers=1)
    >>> found = Filler(spec)(torch.rand(3, 1, 8, 8))
    >>> found.painted.shape, found.gone.sum(1).tolist()
    (torch.Size([3, 16, 4]), [10, 10, 10])
    """

    def __init__(self, spec: FillerSpec) -> None:
        super().__init__(spec, classes=0)
        self.spec = spec
        self.encoder = PatchEncoder(spec)
        encoder = spec.encoder()
        blocks = [mechanisms.block(encoder) for _ in range(spec.decoder)]
        self.decoder = nn.ModuleList(blocks)
        self.empty = nn.Parameter(0.02 * torch.randn(spec.width))
        self.places = GridPlaces("sinusoidal", spec.side, spec.width)
        self.norm = norm(encoder.norm, spec.width, encoder.bias)
        self.paint = nn.Linear(spec.width, spec.channels * spec.pixels**2)
        start(blocks, None)

    def forward(self, x: Float[Tensor, "b c h w"], gone: Bool[Tensor, "b t"] | None = None) -> FilledOutput:
        """The whole pictures; `gone`, as many patches of each picture, are drawn unless given."""
        x = self.normal(x)
        gone = self.drawn(len(x), x.device) if gone is None else gone
        patches = self.encoder.cut(x)
        kept = (~gone).nonzero()[:, 1].view(len(x), -1)
        seen, _ = self.encoder.through(taken(patches, kept))
        stream = self.empty.to(seen.dtype).expand(*patches.shape[:2], -1).clone()
        stream = self.places(stream.scatter(1, kept[..., None].expand(-1, -1, seen.shape[-1]), seen))
        for layer in self.decoder:
            stream = layer(stream)
        return FilledOutput(self.paint(self.norm(stream)), cut(x, self.spec.pixels), gone)

    def drawn(self, count: int, device: torch.device) -> Bool[Tensor, "b t"]:
        """The patches that are left out: the same number of each picture, by torch's generator."""
        total = self.spec.context
        many = min(total - 1, max(1, round(self.spec.left_out * total)))
        order = torch.rand(count, total, device=device).argsort(1)
        return torch.zeros(count, total, dtype=torch.bool, device=device).scatter(1, order[:, :many], True)

    def pictures(self, output: FilledOutput) -> Float[Tensor, "b c h w"]:
        """Numbers from 0 to 1: what was seen as it is, what was left out as it is painted."""
        patches = torch.where(output.gone[..., None], output.painted.float(), output.patches)
        return (joined(patches, self.spec.pixels, self.spec.side) * self.spread + self.mean).clamp(0.0, 1.0)


def taken(patches: Float[Tensor, "b t m"], places: Int[Tensor, "b n"]) -> Float[Tensor, "b n m"]:
    """The patches at `places`."""
    return patches.gather(1, places[..., None].expand(-1, -1, patches.shape[-1]))
