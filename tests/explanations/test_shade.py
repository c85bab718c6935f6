from __future__ import annotations

import base64
import struct
import zlib

import pytest
import torch

from heedful.errors import ShapeError
from heedful.explanations.shade import COARSE, colour, levels, picture


def decoded(address: str) -> torch.Tensor:
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, size, body = 8, (0, 0), b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + chunk)
        size = struct.unpack(">II", chunk[:8]) if kind == b"IHDR" else size
        body += chunk if kind == b"IDAT" else b""
        at += 12 + length
    rows = torch.tensor(list(zlib.decompress(body))).reshape(size[1], size[0] + 1)
    return rows[:, 1:]


def test_levels_are_within_half_a_step() -> None:
    weights = torch.rand(7, 13).softmax(-1)
    shown = levels(weights)
    assert (shown.bytes / 255 * shown.top - weights).abs().max() <= shown.top / 255 / 2 + 1e-7


def test_signed_levels_are_symmetric_and_nought_is_neutral() -> None:
    shown = levels(torch.tensor([[-2.0, 0.0, 2.0]]), "signed")
    assert shown.bytes.tolist() == [[1, 128, 255]]
    assert colour(128, "signed")[3] == 0


def test_what_cannot_be_shown_is_shown_as_nothing() -> None:
    assert levels(torch.tensor([[float("nan"), float("inf"), 0.5]])).bytes.tolist() == [[0, 0, 255]]
    assert levels(torch.zeros(2, 2)).bytes.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("shape", [(0, 3), (3,), (1, 2, 3)])
def test_a_map_needs_a_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="matrix"):
        levels(torch.zeros(shape))


def test_the_picture_holds_the_levels() -> None:
    shown = levels(torch.rand(5, 9))
    assert torch.equal(decoded(picture(shown)), (shown.bytes // COARSE).long())


def test_more_weight_is_never_a_paler_shade() -> None:
    darkness = [-sum(colour(level, "weights")[:3]) + 10 * colour(level, "weights")[3] for level in range(256)]
    assert darkness == sorted(darkness)
