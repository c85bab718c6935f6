"""Words: sixty-four answers of a rule in one integer, bit j for the j-th key of a block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.spans import BLOCK, Span

# The product with this number gathers the lowest bits of eight bytes in the highest byte, the first byte's lowest.
GATHER = 0x0102040810204080

# More queries than these are asked about a few keys at a time: what a rule computes on the way then stays in a cache.
MANY = 1 << 12


def packed(table: Bool[Tensor, "*lead n"]) -> Int64[Tensor, "*lead words"]:
    """The last axis, whose size is a multiple of 64, as words.

    >>> packed(torch.arange(128) % 64 < 3)
    tensor([7, 7])
    """
    if table.device.type == "cpu":
        return torch.from_numpy(np.packbits(table.numpy(), axis=-1, bitorder="little").view(np.int64))
    return multiplied(table)


def multiplied(table: Bool[Tensor, "*lead n"]) -> Int64[Tensor, "*lead words"]:
    """As `packed` in torch alone, eight times slower on a CPU."""
    octets = table.clone(memory_format=torch.contiguous_format).view(torch.uint8).view(torch.int64)
    return ((octets * GATHER) >> 56).to(torch.uint8).view(torch.int64)


def unpacked(words: Int64[Tensor, "*lead words"]) -> Bool[Tensor, "*lead n"]:
    """The other way round, 64 answers a word.

    >>> unpacked(torch.tensor([5])).nonzero().flatten()
    tensor([0, 2])
    """
    bits = (words[..., None] >> torch.arange(BLOCK, device=words.device)) & 1
    return bits.bool().flatten(-2)


def below(count: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """Words whose lowest `count` bits are set, 0 to 64 of them."""
    # A shift by all 64 bits leaves nothing, and nothing less one is all bits.
    return (torch.ones_like(count) << count) - 1


def between(span: Span, k: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """The words of keys k ... k + 63 where those in the span are allowed."""
    return below((span.high + 1 - k).clamp(0, BLOCK)) & ~below((span.low - k).clamp(0, BLOCK))


def sliding(row: Bool[Tensor, " n"]) -> Int64[Tensor, " m"]:
    """The word that starts at each place of a row, as many as have all their 64 bits in it."""
    words = row.to(torch.int64)
    for width in (1, 2, 4, 8, 16, 32):
        words = words[:-width] | (words[width:] << width)
    return words


def singly(answer: Callable[[Tensor], Tensor], k: Int64[Tensor, "..."], queries: int, stop: int) -> Int64[Tensor, "..."]:
    """The words of keys k ... k + 63 for so many queries by asking about each; those from `stop` on are answered as the last before it."""
    keys = (k[..., None] + torch.arange(BLOCK, device=k.device)).clamp(max=stop - 1)
    some = keys.split_with_sizes([BLOCK] if queries <= MANY else [8] * (BLOCK // 8), -1)
    answers = [(answer(part), part.shape[-1]) for part in some]
    return packed(torch.cat([table.expand(*table.shape[:-1], width) for table, width in answers], -1))[..., 0]


def counted(words: Int64[Tensor, "..."]) -> Int64[Tensor, "..."]:
    """How many bits of each word are set."""
    pairs = words - ((words >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    octets = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    return (octets * 0x0101010101010101) >> 56


def turned(words: Int64[Tensor, "t 64"]) -> Int64[Tensor, "t 64"]:
    """The transpose of tables of 64 words: bit i of word j is what bit j of word i was (Warren 2012, Hacker's Delight, section 7-3)."""
    for width, low in (
        (32, 0x00000000FFFFFFFF),
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        upper, lower = words.reshape(len(words), BLOCK // (2 * width), 2, width).unbind(2)
        pair = ((upper & low) | ((lower & low) << width), ((upper >> width) & low) | (lower & ~low))
        words = torch.stack(pair, 2).reshape(len(words), BLOCK)
    return words
