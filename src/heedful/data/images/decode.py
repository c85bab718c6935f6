"""One picture file as bytes of one size: any mode that Pillow reads, upright, on white where it is transparent."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from heedful.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

FORMS: Final = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".ico")
GREY: Final = ("1", "L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
CLEAR: Final = ("RGBA", "LA", "PA", "La", "RGBa")


def decoded(source: Path | bytes, name: str, size: int | None) -> UInt8[Tensor, "c h w"]:
    """The picture in a file (or in its bytes): (1, h, w) if it is grey, (3, h, w) if not.

    It is turned upright as its EXIF says, put on white where it is transparent, scaled to eight bits from sixteen, and, if a `size` is
    asked for, its shorter side is brought to it and the middle is kept.

    Raises `DataError`: missing, not a picture, cut short, too large to be one.
    """
    return as_bytes(prepared(opened(source, name), size))


def sides(source: Path | bytes, name: str) -> tuple[int, int]:
    """Width and height, from the head of the file."""
    with opened(source, name, whole=False) as found:
        turned = found.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (found.height, found.width) if turned else (found.width, found.height)


def opened(source: Path | bytes, name: str, whole: bool = True) -> Image:
    """The file as Pillow reads it, all of it if `whole`."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtra("pillow", "vision", "reading pictures") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
            if whole:
                found.load()
            return found
    except FileNotFoundError:
        raise DataError(f"{name}: no such file: a picture ({', '.join(FORMS)}) would work") from None
    except IsADirectoryError:
        raise DataError(f"{name}: a folder, and one picture was asked for") from None
    except UnidentifiedImageError:
        raise DataError(f"{name}: not a picture, whatever its name: {', '.join(FORMS)} would work") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(f"{name}: more than {Image.MAX_IMAGE_PIXELS:,} pixels: a smaller picture would work") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{name}: cut short or damaged: {' '.join(str(error).split())}") from None


def prepared(found: Image, size: int | None) -> Image:
    """Upright, grey or of three colours, and of the size."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(found)
    plain = coloured(upright)
    if size is None or plain.size == (size, size):
        return plain
    return ImageOps.fit(plain, (size, size), Image.Resampling.BICUBIC)


def coloured(found: Image) -> Image:
    """Mode L or RGB, whatever it was."""
    from PIL import Image

    if found.mode in ("L", "RGB"):
        return found
    if found.mode in CLEAR or "transparency" in found.info:
        clear = found.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        flat = Image.alpha_composite(white, clear)
        return flat.convert("L" if found.mode in ("LA", "La", "L") else "RGB")
    if found.mode in GREY:
        return Image.fromarray(eight_bits(np.asarray(found)))
    return found.convert("RGB")


def eight_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Sixteen bits, whole or real numbers as eight bits: the full range of their kind is 0 to 255 (real numbers: 0 to 1, or to 255)."""
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    wide = values.astype(np.float64)
    scale = 1 / 257 if values.dtype.kind != "f" else 255.0 if wide.max(initial=0.0) <= 1.0 else 1.0
    wide = wide * scale
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def as_bytes(found: Image) -> UInt8[Tensor, "c h w"]:
    """The pixels of a grey or coloured picture."""
    values = np.array(found)
    pixels = torch.from_numpy(values)
    return pixels[None] if pixels.dim() == 2 else pixels.permute(2, 0, 1).contiguous()
