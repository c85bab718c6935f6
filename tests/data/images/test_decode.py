"""Every kind of picture comes out as the bytes it shows; what is no picture is said in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("PIL")
from PIL import Image

from heedful.data.images.decode import decoded, sides
from heedful.errors import DataError

RAMP = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def test_grey_and_colour_keep_their_bytes(tmp_path: Path) -> None:
    grey = decoded(saved(tmp_path / "g.png", Image.fromarray(RAMP)), "g", None)
    assert torch.equal(grey, torch.from_numpy(RAMP)[None])
    colour = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=-1)
    found = decoded(saved(tmp_path / "c.png", Image.fromarray(colour)), "c", None)
    assert torch.equal(found, torch.from_numpy(colour).permute(2, 0, 1))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    deep = (RAMP.astype(np.uint32) * 257).astype(np.uint16)
    found = decoded(saved(tmp_path / "d.png", Image.fromarray(deep)), "d", None)
    assert torch.equal(found[0], torch.from_numpy(RAMP))


def test_real_numbers_from_nought_to_one_are_scaled(tmp_path: Path) -> None:
    found = decoded(saved(tmp_path / "f.tiff", Image.fromarray(RAMP.astype(np.float32) / 255)), "f", None)
    assert torch.equal(found[0], torch.from_numpy(RAMP))


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    found = decoded(saved(tmp_path / "b.png", Image.fromarray(RAMP > 100)), "b", None)
    assert found.unique().tolist() == [0, 255]


def test_transparent_places_are_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    assert decoded(saved(tmp_path / "a.png", clear), "a", None).unique().tolist() == [255]
    half = Image.new("LA", (4, 4), (0, 255))
    assert decoded(saved(tmp_path / "la.png", half), "la", None).shape == (1, 4, 4)
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    assert decoded(saved(tmp_path / "p.png", palette, transparency=0), "p", None).unique().tolist() == [255]


def test_cmyk_becomes_three_colours(tmp_path: Path) -> None:
    found = decoded(saved(tmp_path / "k.tiff", Image.new("CMYK", (3, 3), (255, 0, 0, 0))), "k", None)
    assert found.shape == (3, 3, 3)
    assert found[0].max() < found[1].min()  # cyan: no red


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    wide = Image.fromarray(np.stack([RAMP[:4]] * 3, axis=-1))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "e.png", wide, exif=exif)
    assert decoded(path, "e", None).shape == (3, 8, 4)
    assert sides(path, "e") == (4, 8)


def test_the_middle_is_kept_at_the_size_asked_for(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    found = decoded(saved(tmp_path / "w.png", Image.fromarray(wide)), "w", 5)
    assert found.shape == (1, 5, 5)
    assert int(found[0, 2, 2]) == 200


@pytest.mark.parametrize("cut", [10, 60, -200])  # in the head, before the pixels, among them
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    whole = saved(tmp_path / "t.png", Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8))).read_bytes()
    with pytest.raises(DataError, match=r"^t\.png: (cut short|not a picture)"):
        decoded(whole[:cut], "t.png", None)


def test_a_text_by_the_name_of_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("these are words")
    with pytest.raises(DataError, match="not a picture, whatever its name"):
        decoded(path, "notes.png", None)
    with pytest.raises(DataError, match="no such file"):
        decoded(tmp_path / "none.png", "none.png", None)
    with pytest.raises(DataError, match="a folder"):
        decoded(tmp_path, "folder", None)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = saved(tmp_path / "big.png", Image.fromarray(RAMP))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(DataError, match="more than 20 pixels"):
        decoded(path, "big.png", None)
