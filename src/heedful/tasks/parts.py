"""Sequences to measure on, to choose on and to judge on: three sets that share none, as batches that can be read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.text import Corpus
from heedful.errors import DataError
from heedful.manage.hashes import digest
from heedful.tasks.sequences import Reader, Row


@dataclass(frozen=True)
class Filling:
    """What stands where a sequence is shorter than the longest of its batch: numbers by name (0 unless given), on one side."""

    numbers: tuple[tuple[str, int], ...] = ()
    left: bool = False

    def together(self, name: str, tensors: list[Tensor]) -> Tensor:
        """Tensors of one name as one.

        >>> Filling((("labels", -100),)).together("labels", [torch.tensor([1, 2]), torch.tensor([3])]).tolist()
        [[1, 2], [3, -100]]
        """
        if tensors[0].dim() == 0:
            return torch.stack(tensors)
        longest, number = max(map(len, tensors)), dict(self.numbers).get(name, 0)
        missing = [tensor.new_full((longest - len(tensor),), number) for tensor in tensors]
        pairs = zip(missing, tensors, strict=True)
        return torch.stack([torch.cat([gap, tensor] if self.left else [tensor, gap]) for gap, tensor in pairs])


@dataclass(frozen=True, eq=False)
class Part:
    """Batches that can be read again and again, each a dict of tensors on the model's device."""

    rows: tuple[Row, ...]
    batch: int
    device: torch.device
    filling: Filling = Filling()

    def __len__(self) -> int:
        """How many batches."""
        return -(-len(self.rows) // self.batch)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for start in range(0, len(self.rows), self.batch):
            rows = self.rows[start : start + self.batch]
            yield {name: self.filling.together(name, [row[name] for row in rows]).to(self.device) for name in rows[0]}

    @property
    def tokens(self) -> int:
        """How many tokens are read, all sequences together."""
        return sum(inputs(row).numel() for row in self.rows)


class Parts(NamedTuple):
    """Three sets of sequences that share none: to measure on, to choose on, and to judge on at the end."""

    calibrate: Part
    select: Part
    test: Part


@dataclass(frozen=True)
class Cut:
    """How sequences become parts: their tokens at most, sequences of a batch, batches of a part at most, where they are put, how filled."""

    length: int
    batch: int
    limit: int | None
    device: torch.device
    filling: Filling = Filling()

    def part(self, rows: Sequence[Row]) -> Part:
        """Some sequences as batches; where there are more than wanted, evenly spaced ones."""
        most = len(rows) if self.limit is None else min(len(rows), self.limit * self.batch)
        places = torch.linspace(0, len(rows) - 1, most).round().long().tolist()
        return Part(tuple(rows[place] for place in places), self.batch, self.device, self.filling)

    def parts(self, calibrate: Sequence[Row], select: Sequence[Row], test: Sequence[Row], name: str) -> Parts:
        """The parts, a sequence that stands in several of them in the first alone."""
        known: set[str] = set()
        found = []
        for part, rows in zip(Parts._fields, (calibrate, select, test), strict=True):
            keys = [digest(inputs(row)) for row in rows]
            kept = [row for row, key in zip(rows, keys, strict=True) if key not in known]
            if not kept:
                raise DataError(
                    f"{name}: nothing is left for {part}: all its {len(rows)} sequences stand in another part; more text would work"
                )
            known.update(keys)
            found.append(self.part(kept))
        return Parts(*found)


def divided(corpus: Corpus, reader: Reader, cut: Cut) -> Parts:
    """Calibrate and select are the halves of the validation text, test is the test text; thirds of both where one is too short."""
    judged, tested = (windows(reader.encode(text), reader) for text in (corpus.validation, corpus.test))
    if len(judged) >= 2 and len(tested):
        pieces = (*judged.tensor_split(2), tested)
    else:
        everything = torch.cat([judged, tested])
        if len(everything) < 3:
            raise too_short(corpus, reader, cut.length)
        pieces = everything.tensor_split(3)
    calibrate, select, test = ([reader.row(window) for window in piece] for piece in pieces)
    return cut.parts(calibrate, select, test, corpus.name)


def windows(ids: Int[Tensor, " n"], reader: Reader) -> Int[Tensor, "w size"]:
    """The windows of a text, none of which share a token to be predicted; what does not fill one is left out."""
    return ids.unfold(0, reader.size, reader.step) if len(ids) >= reader.size else ids.new_zeros(0, reader.size)


def too_short(corpus: Corpus, reader: Reader, length: int) -> DataError:
    """The error for a text of fewer than three windows, with the length that would work."""
    tokens = len(reader.encode(corpus.validation + corpus.test))
    shorter = max(0, (tokens - 4) // 3 - (length - reader.size))
    hint = f"--length {shorter} or shorter, or more text, would work" if shorter > 1 else "more text would work"
    return DataError(f"{corpus.name}: its held-out text has {tokens:,} tokens, too few for three parts of {length:,}: {hint}")


def inputs(row: Row) -> Tensor:
    """What a model reads of a row."""
    return row["input_ids"] if "input_ids" in row else row["ids"]
