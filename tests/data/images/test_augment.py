"""What varies a picture does what it says, and a seed repeats it."""

from __future__ import annotations

import torch

from heedful.data.images.augment import cut_out, flipped, mixed, recoloured, shifted, varied
from heedful.spec.images import AugmentSpec

RAMP = torch.arange(2 * 3 * 6 * 5, dtype=torch.float32).view(2, 3, 6, 5) / 180


def test_a_shift_is_a_window_of_the_mirrored_picture() -> None:
    torch.manual_seed(0)
    wide = torch.nn.functional.pad(RAMP, (2, 2, 2, 2), mode="reflect")
    found = shifted(RAMP, 2)
    for row, picture in enumerate(found):
        windows = [wide[row, :, y : y + 6, x : x + 5] for y in range(5) for x in range(5)]
        assert any(torch.equal(picture, window) for window in windows)


def test_a_flip_is_all_or_nothing_for_each_picture() -> None:
    torch.manual_seed(0)
    many = RAMP[:1].expand(64, -1, -1, -1)
    found = flipped(many)
    mirrored = [torch.equal(each, many[0].flip(-1)) for each in found]
    assert all(torch.equal(each, many[0]) or flip for each, flip in zip(found, mirrored, strict=True))
    assert 16 < sum(mirrored) < 48  # four standard errors of 64 tosses


def test_a_cut_out_is_one_square_in_the_mean() -> None:
    torch.manual_seed(1)
    picture = torch.rand(8, 1, 12, 12)
    changed = (cut_out(picture, 4) != picture)[:, 0]
    assert changed.any(2).sum(1).max() <= 4
    assert changed.any(1).sum(1).max() <= 4
    assert changed.any()


def test_mixing_keeps_the_shares() -> None:
    torch.manual_seed(2)
    labels = torch.arange(2)
    found = mixed(RAMP, labels, 0.5)
    assert torch.allclose(found.pixels, found.share * RAMP + (1 - found.share) * RAMP[found.others])
    assert mixed(RAMP, labels, 0.0).pixels is RAMP


def test_colours_stay_between_nought_and_one() -> None:
    torch.manual_seed(3)
    found = recoloured(RAMP, 0.9)
    assert float(found.min()) >= 0.0
    assert float(found.max()) <= 1.0
    assert not torch.equal(found, RAMP)


def test_a_seed_repeats_all_of_it() -> None:
    spec = AugmentSpec(crop=1, flip=True, cutout=2, colour=0.3)
    torch.manual_seed(4)
    once = varied(RAMP, spec)
    torch.manual_seed(4)
    assert torch.equal(varied(RAMP, spec), once)
    assert torch.equal(varied(RAMP, AugmentSpec()), RAMP)
