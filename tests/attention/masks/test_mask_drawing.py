from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import torch

from heedful.attention.masks.picture import edges, runs, shade, shares
from heedful.masks import Blocks, Causal, Dense, Documents, Padding, Sinks, Window


def test_large_masks_are_drawn_small() -> None:
    lines = Causal().draw(1000, 1000).split()
    assert len(lines) == 64
    assert {len(line) for line in lines} == {64}
    assert lines[0][1:] == "□" * 63
    assert lines[-1][:-1] == "■" * 63
    assert all(line[i] == "▒" for i, line in enumerate(lines))


def test_long_and_narrow() -> None:
    lines = Window(100).draw(1, 6400).split()
    assert lines == ["□" * 63 + "■"]
    assert len(Causal().draw(100, 3).split()) == 64


def test_shades_are_shares() -> None:
    assert [shade(x) for x in (0.0, 0.01, 0.3, 0.5, 0.9, 0.99, 1.0)] == ["□", "░", "░", "▒", "▓", "▓", "■"]
    grid = shares(lambda start, stop: Causal().rows(start, stop, 6, 6)[0, 0], 6, 6, cells=2)
    assert grid == [[round(2 / 3, 9), 0.0], [1.0, round(2 / 3, 9)]]


def test_a_picture_is_of_one_sequence() -> None:
    mask = Padding(torch.tensor([1, 3]))
    assert mask.draw(1, 3) == "■□□"
    assert mask.draw(1, 3, batch=1) == "■■■"
    assert Dense(torch.tensor([[[True]], [[False]]])).draw(1, 1, head=1) == "□"


def test_edges_cover_all() -> None:
    for length in (0, 1, 63, 64, 65, 1000):
        bounds = edges(length, 64)
        assert bounds[0] == 0
        assert bounds[-1] == length
        assert len(bounds) == min(length, 64) + 1
        assert all(a < b for a, b in pairwise(bounds))


def test_nothing_to_draw() -> None:
    assert Causal().draw(0, 0) == ""
    assert ElementTree.fromstring(Causal().svg(0, 0)).get("width") == "0"


def test_svg_has_the_area_of_the_mask() -> None:
    for mask in (Causal(), Blocks(3), Causal() & (Sinks(1) | Window(2))):
        root = ElementTree.fromstring(mask.svg(9, 9))
        bars = [r for r in root.iter("{http://www.w3.org/2000/svg}rect") if r.get("x")]
        assert sum(int(r.get("width", 0)) // 8 for r in bars) == int(mask.dense(9, 9).sum())
        assert next(root.iter("{http://www.w3.org/2000/svg}title")).text == repr(mask)


def test_svg_shades() -> None:
    assert re.search(r'fill-opacity="0\.5', Causal().svg(1000, 1000))
    assert runs([0.0, 1.0, 1.0, 0.5]) == [(0, 1, 0.0), (1, 2, 1.0), (3, 1, 0.5)]


def test_a_notebook_shows_the_lengths_the_mask_knows() -> None:
    def size(mask: object) -> tuple[str | None, str | None]:
        root = ElementTree.fromstring(mask._repr_svg_())  # type: ignore[attr-defined]
        return root.get("width"), root.get("height")

    assert size(Causal()) == ("128", "128")
    assert size(Documents(torch.zeros(1, 5, dtype=torch.int64)) & Causal()) == ("40", "40")
    assert size(Dense(torch.ones(2, 3, dtype=torch.bool))) == ("24", "16")
    assert size(~Padding(torch.tensor([2, 4]))) == ("32", "32")
    assert size(Causal().at(torch.tensor([9]), torch.tensor([7, 8, 9]))) == ("24", "8")
