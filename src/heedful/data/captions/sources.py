"""Where pictures with texts come from: made of the items that a source names, or read from somebody's own files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from heedful.data.captions.captions import Captions, CaptionSet
from heedful.data.captions.nouns import nouns_of
from heedful.data.captions.own import beside, own_captions, table_of, tabled
from heedful.data.captions.scenes import cast_of, kept_apart, pairs_of, scene_texts, scenes
from heedful.data.images.pictures import PARTS
from heedful.data.images.sources import load_images
from heedful.data.sources import bare, data_home
from heedful.errors import DataError
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.images import ImageDataSpec


def load_captions(spec: CaptionDataSpec, only: Sequence[str] = PARTS) -> CaptionSet:
    """The captions that `spec.source` names; of scenes the parts in `only` are made.

    >>> found = load_captions(CaptionDataSpec(scenes=8, items=2), ("train",))
    >>> found.parts["train"].pixels.shape, found.parts["train"].texts[0][0].kind
    (torch.Size([8, 1, 32, 32]), 'caption')

    Raises `DataError`: missing, pictures without captions or classes, items that do not fit a scene.
    """
    path = place_of(spec.source)
    if path is not None:
        table = table_of(path)
        rows = tabled(table, spec) if table else beside(path) if path.is_dir() else []
        if rows:
            return own_captions(rows, spec)
    return made(spec, only)


def place_of(source: str) -> Path | None:
    """The file or folder that a source names, by its path or under $HEEDFUL_DATA."""
    path = Path(source).expanduser()
    if source and path.exists():
        return path
    named = data_home() / source
    return named if bare(source) and named.exists() else None


def made(spec: CaptionDataSpec, only: Sequence[str]) -> CaptionSet:
    """Scenes of the items of a source: those judged on are made of items that were never learnt from."""
    try:
        found = load_images(ImageDataSpec(spec.source, channels=spec.channels, test=0.1))
    except DataError as error:
        raise DataError(
            f"{error} (captions: a table of pictures and texts, a folder with captions.csv, or with a .txt beside each picture)"
        ) from None
    largest = round(found.size * spec.larger)
    if largest >= spec.size:
        raise DataError(
            f"items of {found.size} pixels, up to {spec.larger:g} times as large, do not fit scenes of {spec.size}: "
            f"data.size above {2 * largest} would work"
        )
    nouns = tuple(sorted(set(nouns_of(found.labels).values())))
    apart = kept_apart(len(nouns), spec.unseen, spec.seed)
    counts = {"train": spec.scenes, **{part: max(1, round(vars(spec)[part] * spec.scenes)) for part in PARTS[1:]}}
    parts: dict[str, Captions] = {}
    strange: dict[str, Captions] = {}
    for number, part in enumerate(PARTS):
        if part not in only:
            continue
        cast = cast_of(found.part(part), nouns, apart)
        for unseen in (False, True) if part != "train" and spec.items > 1 and bool(apart.any()) else (False,):
            seed = spec.seed * 1_000_003 + 2 * number + unseen
            laid = scenes(cast, spec, counts[part], torch.Generator().manual_seed(seed), unseen)
            texts = scene_texts(laid, nouns, spec.questions, seed)
            (strange if unseen else parts)[part] = Captions(laid.pixels, texts, (), laid)
    said = f"made by seed {spec.seed} of items of {found.split}"
    return CaptionSet(f"scenes of {found.name}", parts, said, nouns, strange, tuple(pairs_of(apart, nouns)))
