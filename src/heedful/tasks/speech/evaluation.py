"""How much of what is said a model hears right: by words, by speaker, under noise, and by each half of it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Final, NamedTuple

import torch
from torch import Tensor

from heedful.data.audio.recordings import Recordings
from heedful.data.audio.rows import SpeechRows, speech_rows
from heedful.data.audio.vary import noisy
from heedful.data.pairs.batches import every
from heedful.errors import DataError, UsageError
from heedful.models.speech.joint import searched
from heedful.models.speech.listener import Heard
from heedful.spec.audio import VarySpec
from heedful.spec.search import Search
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.tasks.speech.monotonicity import forward_steps
from heedful.tasks.speech.scoring import Errors, scored, total
from heedful.tasks.task import Evaluation, Listing, Measure, Record
from heedful.train.metrics import tally
from heedful.train.speech import text_of_speech

CONFUSED: Final = 10  # words that are listed, the worst first


class Written(NamedTuple):
    """What was heard in each recording, the share of steps that look forward (None: not looked at), and the seconds it took."""

    texts: list[str]
    monotonic: float | None
    seconds: float


def evaluate(loaded: LoadedSpeech, measure: Measure) -> Evaluation:
    """Word errors of the model, of the decoder and of the frames alone, and of the model under noise, on a part of the data."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token, and here words are heard: without it, it would work")
    found = loaded.recordings(measure.data)
    part = measure.split or ("validation" if measure.data is None else "whole")
    some = found.part(part)
    if not len(some):
        raise DataError(f"the {part} part of {found.name} has no recordings: --split train, validation, test or whole")
    rows = speech_rows(some, loaded.tokenizer, loaded.model.context)
    search, spec = Search(measure.beams, measure.length_penalty), loaded.model.spec
    ours = written(loaded, rows, search)
    each = scored(ours.texts, some.texts)
    told = {**row(total(each), ours, some), "loss": loss(loaded, rows)}
    scores: dict[str, Record] = {spec.kind: told}
    if 0 < spec.searched < 1:
        for name, share in (("decoder alone", 0.0), ("frames alone", 1.0)):
            scores[name] = row(total(scored((alone := written(loaded, rows, search, share)).texts, some.texts)), alone, some)
    for ratio in measure.snr:
        under = written(loaded, rows, search, decibels=ratio)
        scores[f"noise {ratio:g} dB"] = row(total(scored(under.texts, some.texts)), under, some)
    listings = tuple(listing for listing in (by_speaker(some, each), by_word(some, ours.texts)) if listing.rows)
    how = f"{len(some):,} recordings, {some.seconds / 60:,.1f} minutes, {search.beams} beams, length penalty {search.length_penalty:g}"
    where = part if measure.data is None else f"{part} of {measure.data}"
    return Evaluation(where, f"{part} of {found.name} ({found.split}): {how}", scores, listings)


@torch.inference_mode()
def written(loaded: LoadedSpeech, rows: SpeechRows, search: Search, share: float | None = None, decibels: float | None = None) -> Written:
    """What is heard in each recording, under white noise so many decibels below it if that is asked for."""
    texts = [""] * len(rows)
    forward: list[float] = []
    started = perf_counter()
    for places, heard in hearings(loaded, rows, decibels):
        found = searched(loaded.model, heard, search, share)
        ids = [best[0].ids for best in found]
        for place, mine in zip(places.tolist(), ids, strict=True):
            texts[place] = loaded.tokenizer.decode(mine).strip()
        if share is None:
            forward += forward_steps(loaded.model, heard, ids)
    return Written(texts, sum(forward) / len(forward) if forward else None, perf_counter() - started)


def hearings(loaded: LoadedSpeech, rows: SpeechRows, decibels: float | None) -> Iterator[tuple[Tensor, Heard]]:
    """What the model hears, a batch at a time, and which recordings it is of; noise is the same each time."""
    generator = torch.Generator().manual_seed(0)
    for places, batch in every(rows, loaded.spec.train.eval_batch):
        waves = batch.waves
        if decibels is not None:
            white = torch.randn(waves.shape, generator=generator)
            waves = noisy(waves, batch.lengths, torch.full((len(waves), 1), decibels), torch.zeros(len(waves), 1), white)
        yield places, loaded.hear(waves, batch.lengths)


def row(found: Errors, ours: Written, some: Recordings) -> Record:
    """The scores of one model."""
    return {
        "word_errors": found.rate,
        "exact": found.exact,
        "wrong": found.substitutions,
        "missed": found.deletions,
        "added": found.insertions,
        "words": found.words,
        "monotonic": ours.monotonic,
        "real_time": ours.seconds / some.seconds,
    }


def loss(loaded: LoadedSpeech, rows: SpeechRows) -> float:
    """Nats a token, as training counts them."""
    objective = text_of_speech(loaded.data.frames, VarySpec())
    found = tally(loaded.model, (batch for _, batch in every(rows, loaded.spec.train.eval_batch)), loaded.device, objective)
    return round(found.nats / found.tokens, 6)


def by_speaker(some: Recordings, each: Sequence[Errors]) -> Listing:
    """The errors of every speaker who is known."""
    rows = []
    for speaker in sorted(set(some.speakers) - {""}):
        mine = total(errors for errors, one in zip(each, some.speakers, strict=True) if one == speaker)
        rows.append((speaker, mine.texts, mine.words, mine.rate, mine.exact))
    return Listing("By speaker", ("speaker", "recordings", "words", "word errors", "exact"), tuple(rows))


def by_word(some: Recordings, texts: Sequence[str]) -> Listing:
    """Of single words, which were heard as which others, the most often first."""
    counts: dict[tuple[str, str], int] = {}
    for said, heard in zip(some.texts, texts, strict=True):
        if len(said.split()) == 1 and heard != said:
            counts[said, heard] = counts.get((said, heard), 0) + 1
    worst = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:CONFUSED]
    rows = tuple((said, heard or "nothing", times) for (said, heard), times in worst)
    return Listing("Words taken for others", ("said", "heard", "times"), rows)
