"""An alignment as a PNG: words that were written down, words that were read across, in a font that has their letters."""

from __future__ import annotations

from collections.abc import Sequence, Set
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from heedful.atomic import write
from heedful.errors import MissingExtra

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

CELL: Final = 0.34  # inches
PIXELS: Final = 150  # an inch
WIDE: Final = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "IPAexGothic")
BOX: Final = "□"


def draw(weights: Float[Tensor, "m n"], targets: Sequence[str], sources: Sequence[str], path: Path) -> Path:
    """Write the weights as a map with the words of both texts; letters that no font here has are drawn as boxes.

    Raises `MissingExtra` without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.font_manager import findfont, fontManager, get_font
    except ImportError:
        raise MissingExtra("matplotlib", "text", "an alignment as a PNG") from None
    installed = {font.name for font in fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in WIDE if name in installed)]
    known = set().union(*(get_font(findfont(name)).get_charmap() for name in fonts))
    shown = [[drawable(word, known) for word in words] for words in (targets, sources)]
    drawing = Figure(figsize=(2.0 + CELL * len(sources), 1.6 + CELL * len(targets)), layout="constrained", facecolor="white")
    axes = drawing.subplots()
    axes.imshow(weights.float().numpy(), cmap="Greys", vmin=0.0, aspect="equal")
    axes.set_yticks(range(len(targets)), shown[0], family=fonts)
    axes.set_xticks(range(len(sources)), shown[1], family=fonts, rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    held = BytesIO()
    drawing.savefig(held, format="png", dpi=PIXELS, metadata={"Software": None})
    write(path, held.getvalue())
    return path


def drawable(word: str, known: Set[int]) -> str:
    """A word, letters that no font has as boxes, and no sign that would be read as mathematics.

    >>> drawable("a犬", {ord("a"), ord("□")})
    'a□'
    """
    return "".join(letter if ord(letter) in known else BOX for letter in word).replace("$", r"\$")
