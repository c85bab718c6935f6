"""Tokens as a reader sees them: the words they make up, a sign apart from the word it leans on, a character each without spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.pairs.scripts import spaceless
from heedful.data.tokens import Tokenizer

END = "■"


class Unit(NamedTuple):
    """A word, and the places of its tokens."""

    text: str
    places: tuple[int, ...]


def units(tokenizer: Tokenizer, ids: Sequence[int]) -> list[Unit]:
    """The words of tokens; the mark, if it is among them, is one too.

    >>> from heedful.data.tokens import train_tokenizer
    >>> tokens = train_tokenizer("char", [" ab."])
    >>> [unit.text for unit in units(tokens, tokens.encode(" ab b.").tolist())]
    ['ab', 'b', '.']
    """
    found: list[tuple[bytes, list[int]]] = []
    for place, token in enumerate(ids):
        piece = tokenizer.pieces[token] if token < tokenizer.size else b""
        if not found or not piece or apart(found[-1][0], piece):
            found.append((piece, [place]))
        else:
            found[-1] = (found[-1][0] + piece, [*found[-1][1], place])
    return [Unit(data.decode("utf-8", "replace").strip() if data else END, tuple(places)) for data, places in found]


def apart(before: bytes, piece: bytes) -> bool:
    """Whether a piece begins another word than what stands before it: both whole characters, and a space, a sign or a script between."""
    try:
        one, other = before.decode("utf-8"), piece.decode("utf-8")
    except UnicodeDecodeError:
        return starts_anew(before, piece)
    if not one.strip():
        return not one
    last, first = one[-1], other[0]
    return first.isspace() or spaceless(first) or spaceless(last) or not first.isalnum() or not last.isalnum()


def starts_anew(before: bytes, piece: bytes) -> bool:
    """The same where either holds a part of a character: what is whole before a new character's first byte ends there."""
    if piece[0] & 0xC0 == 0x80 or not before:
        return not before
    try:
        whole = before.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(whole.strip()) and (piece[:1].isspace() or spaceless(whole[-1]) or piece[0] >= 0xE0)


def between(alignment: Float[Tensor, "t s"], targets: Sequence[Unit], sources: Sequence[Unit]) -> Float[Tensor, "m n"]:
    """How much each word read of each: the sum over what is read, the mean over what reads."""
    columns = torch.stack([alignment[:, list(unit.places)].sum(1) for unit in sources], dim=1)
    return torch.stack([columns[list(unit.places)].mean(0) for unit in targets])
