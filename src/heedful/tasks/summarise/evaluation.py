"""How much of a reference a summary holds: written, picked by attention, and the first sentence of the text, which is hard to beat."""

from __future__ import annotations

import time

from heedful.data.pairs.pairs import Pairs
from heedful.spec.search import Search
from heedful.tasks.summarise.answer import picked
from heedful.tasks.summarise.picked import cited
from heedful.tasks.summarise.rouge import rouge
from heedful.tasks.summarise.sentences import sentences
from heedful.tasks.task import Evaluation, Measure, Record
from heedful.tasks.translate.evaluation import loss, measured
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.writing import said, searched, source_of

LEAD, PICKED = "the first sentence", "a sentence picked by attention"


def evaluate(loaded: LoadedSeq2Seq, measure: Measure) -> Evaluation:
    """ROUGE-1, -2 and -L of what is written and of what is picked, beside the first sentence."""
    pairs, part, where = measured(loaded, measure)
    search = Search(measure.beams, measure.length_penalty)
    started = time.perf_counter()
    found = [best[0].ids for best in searched(loaded, pairs.sources, search)]
    seconds = round(time.perf_counter() - started, 2)
    texts = [said(loaded, text, source_of(loaded, text)[0], ids) for text, ids in zip(pairs.sources, found, strict=True)]
    one = [picked(cited(loaded, text, ids, 1)) for text, ids in zip(pairs.sources, found, strict=True)]
    lead = [first(text) for text in pairs.sources]
    rows: dict[str, Record] = {
        loaded.spec.model.kind: {**row(texts, pairs), "loss": loss(loaded, pairs), "seconds": seconds},
        PICKED: row(one, pairs),
        LEAD: row(lead, pairs),
    }
    how = f"{len(pairs):,} pairs, {search.beams} beams, length penalty {search.length_penalty:g}; ROUGE F1 in percent, no stemming"
    return Evaluation(part, f"{where}: {how}", rows)


def first(text: str) -> str:
    """The first sentence of a text."""
    found = sentences(text)
    return found[0].text if found else ""


def row(found: list[str], pairs: Pairs) -> Record:
    """The scores of one model, in percent, and how long its texts are."""
    scores = rouge(found, pairs.targets)
    words = sum(len(text.split()) for text in found) / len(found)
    percent = {name: round(100 * score, 4) for name, score in scores._asdict().items()}
    return {**percent, "words": round(words, 2), "pairs": len(pairs)}
