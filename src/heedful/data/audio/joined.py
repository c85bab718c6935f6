"""Recordings of one speaker put one after the other, silence of random length between them: sequences whose every word is real."""

from __future__ import annotations

import random
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.recordings import PARTS, Recordings, RecordingSet, Utterance, gathered
from heedful.spec.audio import JoinSpec

EDGE: Final = 0.1  # seconds of silence at most before the first and behind the last


def joined(found: RecordingSet, spec: JoinSpec) -> RecordingSet:
    """Sequences of each part's own recordings.

    >>> some = gathered([Utterance(torch.ones(80), "one", "ann", "a"), Utterance(torch.ones(80), "two", "ann", "b")], 8000)
    >>> made = joined(RecordingSet("two", {part: some for part in PARTS}, "all"), JoinSpec(train=5, validation=1, test=1))
    >>> len(made.part("train")), set(made.part("test").texts[0].split()) <= {"one", "two"}
    (5, True)
    """
    counts = {"train": spec.train, "validation": spec.validation, "test": spec.test}
    parts = {part: sequences(found.parts[part], spec, counts[part], number) for number, part in enumerate(PARTS)}
    said = f"{spec.fewest} to {spec.most} of a speaker's recordings joined, {spec.shortest:g} to {spec.longest:g} s apart"
    return RecordingSet(found.name, parts, f"{found.split}; {said}")


def sequences(some: Recordings, spec: JoinSpec, count: int, number: int) -> Recordings:
    """So many sequences of the recordings of one part; none of a part that is empty."""
    if not len(some):
        return some
    draw = random.Random(spec.seed * 1_000_003 + number)
    of: dict[str, list[int]] = {}
    for i, speaker in enumerate(some.speakers):
        of.setdefault(speaker, []).append(i)
    speakers = sorted(of)
    return gathered((one(some, of[draw.choice(speakers)], spec, draw) for _ in range(count)), some.rate)


def one(some: Recordings, places: list[int], spec: JoinSpec, draw: random.Random) -> Utterance:
    """One sequence."""
    chosen = [some.utterance(draw.choice(places)) for _ in range(draw.randint(spec.fewest, spec.most))]
    pieces = [silence(draw.uniform(0.0, EDGE), some.rate)]
    for i, each in enumerate(chosen):
        pieces += [silence(draw.uniform(spec.shortest, spec.longest), some.rate)] * (i > 0) + [each.wave]
    pieces.append(silence(draw.uniform(0.0, EDGE), some.rate))
    return Utterance(torch.cat(pieces), " ".join(each.text for each in chosen), chosen[0].speaker, "+".join(each.name for each in chosen))


def silence(seconds: float, rate: int) -> Float[Tensor, " n"]:
    """Nothing."""
    return torch.zeros(round(seconds * rate))
