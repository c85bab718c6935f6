"""Sixty-four answers in one integer."""

from __future__ import annotations

import numpy as np
import torch

from heedful.attention.masks.spans import Span
from heedful.attention.masks.words import below, between, counted, multiplied, packed, sliding, turned, unpacked


def table(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.5


def test_both_ways_to_pack_are_what_they_unpack_to() -> None:
    answers = table(3, 7, 192)
    octets = np.packbits(answers.numpy(), axis=-1, bitorder="little")
    for words in (packed(answers), multiplied(answers), multiplied(table(5, 3, 7, 200)[0, ..., 3:195])):
        assert words.shape == (3, 7, 3)
        assert words.dtype is torch.int64
    assert torch.equal(packed(answers), torch.from_numpy(octets.view(np.int64)))
    assert torch.equal(multiplied(answers), packed(answers))
    assert torch.equal(unpacked(packed(answers)), answers)
    part = table(5, 200)[:, 3:131]
    assert torch.equal(packed(part), multiplied(part))
    assert torch.equal(unpacked(packed(part)), part)


def test_nothing_packs_to_nothing() -> None:
    assert packed(table(0, 64)).shape == multiplied(table(0, 64)).shape == (0, 1)


def test_the_lowest_bits() -> None:
    counts = torch.arange(65)
    assert torch.equal(unpacked(below(counts)[:, None]), torch.arange(64) < counts[:, None])


def test_the_bits_of_a_span() -> None:
    low, high = (x.flatten() for x in torch.meshgrid(torch.arange(-70, 140, 7), torch.arange(-80, 150, 11), indexing="ij"))
    keys = torch.arange(10, 74)
    expected = (keys >= low[:, None]) & (keys <= high[:, None])
    assert torch.equal(unpacked(between(Span(low, high), torch.full_like(low, 10))[:, None]), expected)


def test_words_from_every_place_of_a_row() -> None:
    row = table(200)
    assert torch.equal(unpacked(sliding(row)[:, None]), row.unfold(0, 64, 1))


def test_counting() -> None:
    answers = torch.cat([table(9, 64), torch.ones(1, 64, dtype=torch.bool), torch.zeros(1, 64, dtype=torch.bool)])
    assert torch.equal(counted(packed(answers))[:, 0], answers.sum(1))


def test_turning() -> None:
    answers = table(5, 64, 64)
    assert torch.equal(turned(packed(answers)[..., 0]), packed(answers.mT.contiguous())[..., 0])
