"""Recordings with what is said in each, in parts that are learnt from and parts that are only judged on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor

from heedful.data.audio.decode import packed, unpacked
from heedful.errors import DataError

PARTS: Final = ("train", "validation", "test")


class Utterance(NamedTuple):
    """One recording: its wave, what is said, by whom (empty: not known), and where it came from."""

    wave: Float[Tensor, " n"]
    text: str
    speaker: str
    name: str


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings one after the other in 16 bits, at `rate` samples a second.

    >>> some = gathered([Utterance(torch.zeros(10), "one", "ann", "a.wav"), Utterance(torch.ones(4), "two", "ben", "b.wav")], 8000)
    >>> len(some), some.picked([1]).texts, some.padded(torch.tensor([0, 1]))[:, 3].tolist()
    (2, ('two',), [0.0, 1.0])
    """

    samples: Int16[Tensor, " n"]
    lengths: Int[Tensor, " rows"]
    texts: tuple[str, ...]
    speakers: tuple[str, ...]
    names: tuple[str, ...]
    rate: int

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def starts(self) -> Int[Tensor, " rows"]:
        """Where each begins."""
        return self.lengths.cumsum(0) - self.lengths

    @property
    def seconds(self) -> float:
        """All together."""
        return len(self.samples) / self.rate

    def utterance(self, place: int) -> Utterance:
        """One of them."""
        start = int(self.starts[place])
        wave = unpacked(self.samples[start : start + int(self.lengths[place])])
        return Utterance(wave, self.texts[place], self.speakers[place], self.names[place])

    def picked(self, places: Sequence[int]) -> Recordings:
        """Those at `places`, in that order."""
        return gathered((self.utterance(i) for i in places), self.rate)

    def where(self, wanted: Iterable[bool]) -> Recordings:
        """Those for which it holds."""
        return self.picked([i for i, want in enumerate(wanted) if want])

    def padded(self, places: Int[Tensor, " b"]) -> Float[Tensor, "b n"]:
        """The waves at `places` as one batch, silence after their ends."""
        lengths = self.lengths[places]
        index = self.starts[places, None] + torch.arange(int(lengths.max()))
        inside = torch.arange(index.shape[1]) < lengths[:, None]
        return torch.where(inside, unpacked(self.samples[index.clamp(max=len(self.samples) - 1)]), 0.0)


def gathered(utterances: Iterable[Utterance], rate: int) -> Recordings:
    """Utterances one after the other."""
    found = list(utterances)
    waves = [packed(each.wave) for each in found]
    lengths = torch.tensor([len(wave) for wave in waves], dtype=torch.long)
    samples = torch.cat(waves) if waves else torch.zeros(0, dtype=torch.int16)
    texts, speakers, names = (tuple(column) for column in ([u.text for u in found], [u.speaker for u in found], [u.name for u in found]))
    return Recordings(samples, lengths, texts, speakers, names, rate)


@dataclass(frozen=True, eq=False)
class RecordingSet:
    """A set of recordings in its parts; `split` says in words where the parts come from."""

    name: str
    parts: Mapping[str, Recordings]
    split: str

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.parts["train"].rate

    def part(self, name: str) -> Recordings:
        """One part by its name, or all of them as "whole"."""
        if name != "whole":
            return self.parts[name]
        found = [self.parts[part] for part in PARTS]
        return gathered((each.utterance(i) for each in found for i in range(len(each))), self.rate)


def cut(recordings: Recordings, share: float, seed: int = 0) -> tuple[Recordings, Recordings]:
    """What stays and what is cut off: `share` of the recordings of each text (of all, where most texts are said once), drawn by `seed`.

    Raises `DataError` where there are fewer than two.
    """
    if len(recordings) < 2:
        raise DataError(f"{len(recordings)} recording: two or more are needed, one to learn from and one to judge on")
    generator = torch.Generator().manual_seed(seed)
    repeated = len(recordings) >= 2 * len(set(recordings.texts)) and min(Counter(recordings.texts).values()) > 1
    groups: dict[str, list[int]] = {}
    for i, text in enumerate(recordings.texts):
        groups.setdefault(text if repeated else "", []).append(i)
    off: set[int] = set()
    for text in sorted(groups):
        mine = groups[text]
        drawn = torch.randperm(len(mine), generator=generator).tolist()
        off.update(mine[i] for i in drawn[: min(max(1, round(share * len(mine))), len(mine) - 1)])
    return recordings.where(i not in off for i in range(len(recordings))), recordings.where(i in off for i in range(len(recordings)))
