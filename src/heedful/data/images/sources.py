"""Where pictures come from: a folder, a table, an archive, a named set, the hub, or what scikit-learn carries."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

from heedful.data.images.archives import ENDS, is_archive, members
from heedful.data.images.digits import EMBEDDED, digits
from heedful.data.images.folders import by_class
from heedful.data.images.hub import from_hub
from heedful.data.images.idx import idx_parts
from heedful.data.images.pictures import PARTS, Pictures, PictureSet, cut, empty
from heedful.data.images.reading import File, common, read
from heedful.data.images.tables import listed
from heedful.data.labelled.tables import FORMS as TABLES
from heedful.data.sources import bare, data_home
from heedful.errors import DataError
from heedful.spec.images import ImageDataSpec

HUB: Final = "hf:"
CLASSES: Final = {
    "fashion-mnist": ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
}


def load_images(spec: ImageDataSpec) -> PictureSet:
    """The pictures that `spec.source` names, in their parts and of one size.

    A set's own split is kept; a validation part (and, where `spec.test` says so, a test part) that is missing is cut from the training
    pictures, class by class.

    >>> load_images(ImageDataSpec("digits")).channels
    1

    Raises `DataError`: missing (with what would work), a file that is no whole picture, fewer than two classes.
    """
    found = opened(spec)
    parts = dict(found.parts)
    said = [found.split]
    for part, share in (("test", spec.test), ("validation", spec.validation)):
        if share and not len(parts[part]):
            parts["train"], parts[part] = cut(parts["train"], share)
            said.append(f"{len(parts[part]):,} of the pictures to learn from cut off for {part}")
    if spec.learnt < 1.0:
        parts["train"] = cut(parts["train"], spec.learnt)[1]
        said.append(f"{spec.learnt:.3g} of each class to learn from")
    return known_labels(PictureSet(found.name, parts, "; ".join(said), found.order))


def opened(spec: ImageDataSpec) -> PictureSet:
    """What the source itself holds, of the size and channels that were asked for."""
    if spec.source == EMBEDDED:
        return fitted(digits(), spec)
    if spec.source.startswith(HUB):
        return from_files(spec, from_hub(spec.source.removeprefix(HUB), spec), "the hub's own parts")
    path = Path(spec.source).expanduser()
    if path.is_file():
        return from_file(spec, path)
    if spec.source and path.is_dir():
        return from_folder(spec, path)
    if bare(spec.source) and (data_home() / spec.source).is_dir():
        return from_folder(spec, data_home() / spec.source)
    raise missing(spec.source)


def from_file(spec: ImageDataSpec, path: Path) -> PictureSet:
    """A table or an archive."""
    if is_archive(path):
        return from_files(spec, members(path), path.name)
    if path.name.lower().removesuffix(".gz").endswith(TABLES):
        return from_files(spec, listed(path, spec), path.name)
    raise DataError(
        f"{path}: one file, and pictures to learn from stand in folders, tables ({', '.join(TABLES)}) or archives ({', '.join(ENDS)})"
    )


def from_folder(spec: ImageDataSpec, folder: Path) -> PictureSet:
    """MNIST's layout, or folders of pictures by class."""
    order = CLASSES.get(folder.name, ())
    packed = idx_parts(folder, order)
    if "train" in packed:
        parts = {part: packed.get(part, empty(packed["train"])) for part in PARTS}
        return fitted(PictureSet(spec.source, parts, "the set's own training and test parts", order), spec)
    return from_files(spec, by_class(folder), "the folder's own parts")


def from_files(spec: ImageDataSpec, files: dict[str, list[File]], split: str) -> PictureSet:
    """Files by part, read at one size; only training pictures are needed."""
    if not files.get("train"):
        raise DataError(f"{spec.source}: no pictures to learn from: a part named train, or no parts at all, would work")
    size = spec.size or common([file for part in files.values() for file in part])
    train = read(files["train"], size, spec.channels)
    parts = {part: read(files[part], size, train.pixels.shape[1]) if files.get(part) else empty(train) for part in PARTS[1:]}
    alone = len([part for part in files if files[part]]) == 1
    return PictureSet(spec.source, {"train": train, **parts}, f"all of {split}" if alone else split)


def fitted(found: PictureSet, spec: ImageDataSpec) -> PictureSet:
    """A set that came as an array, brought to the size and channels that were asked for."""
    parts = {part: sized(pictures, spec.size or found.size).of(spec.channels or found.channels) for part, pictures in found.parts.items()}
    return PictureSet(found.name, parts, found.split, found.order)


def sized(pictures: Pictures, size: int) -> Pictures:
    """The same pictures with sides of `size`."""
    if pictures.pixels.shape[-2:] == (size, size) or not len(pictures):
        return Pictures(pictures.pixels.new_zeros(0, pictures.pixels.shape[1], size, size), ()) if not len(pictures) else pictures
    from torch.nn.functional import interpolate

    found = interpolate(pictures.pixels.float(), (size, size), mode="bilinear", antialias=True, align_corners=False)
    return Pictures(found.round().clamp(0, 255).byte(), pictures.labels, pictures.names)


def known_labels(found: PictureSet) -> PictureSet:
    """The set, if there are two classes or more and every part knows only those that are learnt."""
    labels = found.labels
    if len(labels) < 2:
        raise DataError(f"{found.name}: {len(labels)} class to learn ({', '.join(labels)}): two or more are needed, a folder each")
    for part in ("validation", "test"):
        strange = sorted(set(found.part(part).labels) - set(labels))
        if strange:
            raise DataError(f"{found.name}: the {part} part has classes that no picture to learn from has: {', '.join(strange[:3])}")
    return found


def missing(source: str) -> DataError:
    """The error for a source that is none, with what would work."""
    home = data_home()
    there = sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    close = difflib.get_close_matches(source, [*there, EMBEDDED], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    under = f"a set under {home}" + ("" if there else " (none there; HEEDFUL_DATA names another place)")
    return DataError(
        f"no pictures at {source!r}: {hint}a folder of them by class, a table of paths, an archive, {EMBEDDED}, "
        f"{HUB}NAME, or {under} would work"
    )
