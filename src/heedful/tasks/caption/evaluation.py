"""How many captions and answers are right to the letter, and whether nouns look at what they name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from heedful.data.captions.batches import caption_batch
from heedful.data.captions.captions import Captions
from heedful.data.captions.grammar import Said
from heedful.data.images.batches import every
from heedful.errors import DataError, UsageError
from heedful.spec.search import Search
from heedful.tasks.caption.loading import LoadedCaptioner
from heedful.tasks.caption.nouns import pointed
from heedful.tasks.caption.writing import searched
from heedful.tasks.task import Evaluation, Listing, Measure, Record
from heedful.tasks.translate.scoring import scored
from heedful.train.captions import words_of_picture
from heedful.train.metrics import tally

STRANGE = "pairs never seen together"
COMMONEST = "the commonest text of each kind"


class Written(NamedTuple):
    """One text: the picture, what was asked and is right (several captions may be), and what was written."""

    place: int
    said: Said
    right: tuple[str, ...]
    text: str


def evaluate(loaded: LoadedCaptioner, measure: Measure) -> Evaluation:
    """Captions and answers that are right to the letter, those of scenes unlike any that was learnt from beside them."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token as it goes on; without it, it would work")
    part = measure.split or "validation"
    if part == "whole":
        raise UsageError("--split whole: captions are measured part by part: train, validation or test would work")
    found = loaded.captions(measure.data, (part,))
    captions, search = found.parts[part], Search(measure.beams, measure.length_penalty)
    if not len(captions):
        raise DataError(f"the {part} part of {found.name} has no pictures: --split train or validation would work")
    texts = written(loaded, captions, search)
    rows: dict[str, Record] = {loaded.spec.model.kind: measured(loaded, captions, texts)}
    if part in found.strange:
        strange = found.strange[part]
        rows[STRANGE] = measured(loaded, strange, written(loaded, strange, search))
    rows[COMMONEST] = commonest(texts)
    listings = (by_kind(texts), *((by_things(captions, texts),) if captions.scenes is not None else ()))
    where = part if measure.data is None else f"{part} of {measure.data}"
    how = f"{len(captions):,} pictures, {len(texts):,} texts, {search.beams} beams, length penalty {search.length_penalty:g}"
    apart = f"; never together while learning: {', '.join(found.apart)}" if found.apart else ""
    return Evaluation(where, f"{part} of {found.name} ({found.split}): {how}{apart}", rows, listings)


def written(loaded: LoadedCaptioner, captions: Captions, search: Search) -> list[Written]:
    """What the model writes: one caption for each picture that has any, and an answer to each question."""
    wanted: list[tuple[int, Said, tuple[str, ...]]] = []
    for place, texts in enumerate(captions.texts):
        own = [said for said in texts if not said.question]
        wanted += [(place, own[0], tuple(said.answer for said in own))] if own else []
        wanted += [(place, said, (said.answer,)) for said in texts if said.question]
    places = [place for place, _, _ in wanted]
    found = searched(loaded, captions.pixels[places], [said.question for _, said, _ in wanted], search)
    said = [loaded.tokenizer.decode(best[0].ids).strip() for best in found]
    return [Written(*each, text) for each, text in zip(wanted, said, strict=True)]


def measured(loaded: LoadedCaptioner, captions: Captions, texts: Sequence[Written]) -> Record:
    """Shares that are right, nats a token, and for scenes the pointing test, for other pictures BLEU and chrF."""
    row = shares(texts)
    told = [each for each in texts if not each.said.question]
    if captions.scenes is not None:
        row |= pointed(loaded, captions)
    elif told:
        found = scored([each.text for each in told], [each.right[0] for each in told])
        row |= {"bleu": found.bleu, "chrf": found.chrf}
    whole = caption_batch(captions, loaded.tokenizer, loaded.model.context)
    counts = tally(loaded.model, every(whole, loaded.spec.train.eval_batch), loaded.device, words_of_picture())
    return {**row, "loss": round(counts.nats / counts.tokens, 6), "pictures": len(captions)}


def shares(texts: Sequence[Written]) -> dict[str, float]:
    """Captions that are right to the letter, and answers, where there are any."""
    sides = {"exact": [each for each in texts if not each.said.question], "answers": [each for each in texts if each.said.question]}
    return {name: sum(each.text in each.right for each in some) / len(some) for name, some in sides.items() if some}


def commonest(texts: Sequence[Written]) -> Record:
    """What always writing the text that is most often right comes to, for captions and each kind of question: chosen from these."""
    best = {kind: Counter(each.right[0] for each in texts if each.said.kind == kind).most_common(1)[0][0] for kind in kinds(texts)}
    return shares([each._replace(text=best[each.said.kind]) for each in texts])


def kinds(texts: Sequence[Written]) -> list[str]:
    """The kinds of texts there are, in the order they are met."""
    return list(dict.fromkeys(each.said.kind for each in texts))


def by_kind(texts: Sequence[Written]) -> Listing:
    """The share that is right of each kind of text."""
    rows = tuple((kind, *right([each for each in texts if each.said.kind == kind])) for kind in kinds(texts))
    return Listing("each kind of text", ("text", "right", "texts"), rows)


def by_things(captions: Captions, texts: Sequence[Written]) -> Listing:
    """The share of captions that is right, by the number of things in a scene."""
    grouped: dict[int, list[Written]] = defaultdict(list)
    for each in texts:
        if not each.said.question:
            grouped[len(captions.items(each.place))].append(each)
    rows = tuple((f"{count} thing{'s' if count > 1 else ''}", *right(grouped[count])) for count in sorted(grouped))
    return Listing("captions by things", ("scene", "right", "captions"), rows)


def right(texts: Sequence[Written]) -> tuple[float, int]:
    """The share of texts that is right, and how many there are."""
    return round(sum(each.text in each.right for each in texts) / len(texts), 4), len(texts)
