"""A picture, and a map of it laid over it."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element
from heedful.explanations.parts.table import number
from heedful.explanations.shade import BLUE, ORANGE

MOST: Final = 320  # pixels of a side in the page's file
SIDE: Final = 260  # and on the screen
MAGIC: Final = b"\x89PNG\r\n\x1a\n"
WARM: Final = (255, 120, 0)  # the colour of a map: told from grey and from most photographs
DEEPEST: Final = 0.85  # its opacity where the map is largest


def photograph(
    pixels: UInt8[Tensor, "c h w"],
    title: str,
    over: Float[Tensor, "y x"] | None = None,
    note: str = "",
    boxes: tuple[Markup, ...] = (),
    signed: bool = False,
) -> Markup:
    """A grey or coloured picture in bytes; `over`, of any size, shades it the more the larger it is.

    What is below 0 is left out, or, where `signed`, orange, and what is above it blue.

    >>> pixels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    >>> "data:image/png" in photograph(pixels, "a four", torch.eye(2))
    True
    """
    if pixels.dim() != 3 or pixels.shape[0] not in (1, 3):
        raise ShapeError(f"a picture is (1 or 3, h, w), found {tuple(pixels.shape)}")
    whole = "position:absolute;inset:0;width:100%;height:100%;image-rendering:pixelated"
    below = element("img", {"src": address(pixels), "alt": title, "style": whole})
    above = element("img", {"src": address(shade(over, signed)), "alt": f"{title}: the map", "style": whole}) if over is not None else ""
    frame = f"position:relative;width:100%;max-width:{SIDE}px;aspect-ratio:{pixels.shape[2]}/{pixels.shape[1]}"
    said = f"{note} largest: {number(float(over.abs().max() if signed else over.max()))}".strip() if over is not None else note
    caption = element("figcaption", {}, element("b", {}, title), element("small", {"style": "display:block"}, said))
    return element("figure", {"class": "thumbnail"}, element("div", {"style": frame}, below, above, *boxes), caption)


def faded(pixels: UInt8[Tensor, "c h w"]) -> UInt8[Tensor, "c h w"]:
    """A picture in light greys, on which both colours of a signed map can be told.

    >>> faded(torch.tensor([[[0, 255]]], dtype=torch.uint8)).tolist()
    [[[136, 255]]]
    """
    grey = pixels.double().mean(0, keepdim=True)
    return (136 + grey * (255 - 136) / 255).round().to(torch.uint8)


def box(place: tuple[float, float, float, float], label: str) -> Markup:
    """The outline of x, y, width and height (the centre, as shares of the sides) with a name, to be laid over a picture."""
    x, y, w, h = place
    style = f"position:absolute;left:{x - w / 2:.2%};top:{y - h / 2:.2%};width:{w:.2%};height:{h:.2%};outline:2px solid rgb{WARM}"
    name = element("span", {"style": "position:absolute;left:0;top:100%;font-size:11px;background:#000c;color:#fff;padding:0 3px"}, label)
    return element("div", {"style": style}, name)


def shade(over: Float[Tensor, "y x"], signed: bool = False) -> UInt8[Tensor, "4 y x"]:
    """A map as one colour of varying opacity, or as two by its sign."""
    values = torch.nan_to_num(over.detach().double().cpu())
    sizes = values.abs() if signed else values.clamp(min=0)
    share = sizes / sizes.max().clamp(min=1e-12)
    above, below = (torch.tensor(each, dtype=torch.uint8).view(3, 1, 1) for each in ((BLUE, ORANGE) if signed else (WARM, WARM)))
    colour = torch.where(values >= 0, above, below)
    return torch.cat([colour, (share * 255 * DEEPEST).round().to(torch.uint8)[None]])


def address(pixels: UInt8[Tensor, "c h w"]) -> str:
    """A picture of 1, 3 or 4 channels as a PNG in a data address; every so-manieth pixel of a large one."""
    step = -(-max(pixels.shape[1:]) // MOST)
    kept = pixels[:, ::step, ::step].cpu()
    kind = {1: 0, 3: 2, 4: 6}[kept.shape[0]]
    rows = kept.permute(1, 2, 0).contiguous()
    lines = b"".join(b"\0" + bytes(row.numpy().tobytes()) for row in rows)
    header = struct.pack(">IIBBBBB", kept.shape[2], kept.shape[1], 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    png = MAGIC + b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
