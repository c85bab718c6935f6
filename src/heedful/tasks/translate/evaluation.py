"""How well the texts that a model writes match their references, and what leaving the sources as they are comes to."""

from __future__ import annotations

import time
from collections.abc import Sequence

from heedful.data.pairs.batches import every
from heedful.data.pairs.pairs import Pairs
from heedful.data.pairs.rows import pair_rows
from heedful.data.pairs.scripts import without_spaces
from heedful.errors import DataError, UsageError
from heedful.spec.search import Search
from heedful.tasks.task import Evaluation, Measure, Record
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.scoring import Scored, scored
from heedful.tasks.translate.writing import said, searched, source_of
from heedful.train.metrics import tally
from heedful.train.objective import target_of

AS_THEY_ARE = "the sources as they are"


def evaluate(loaded: LoadedSeq2Seq, measure: Measure) -> Evaluation:
    """BLEU, cased and not, chrF, the share of texts that are their references, and nats a token, on a part of the data."""
    pairs, part, where = measured(loaded, measure)
    search = Search(measure.beams, measure.length_penalty)
    started = time.perf_counter()
    texts = written(loaded, pairs.sources, search)
    seconds = time.perf_counter() - started
    spaceless = without_spaces(pairs.targets)
    ours, beside = scored(texts, pairs.targets, spaceless), scored(pairs.sources, pairs.targets, spaceless)
    rows: dict[str, Record] = {
        loaded.spec.model.kind: {**row(ours, len(pairs)), "loss": loss(loaded, pairs), "seconds": round(seconds, 2)},
        AS_THEY_ARE: row(beside, len(pairs)),
    }
    how = f"{len(pairs):,} pairs, {search.beams} beams, length penalty {search.length_penalty:g}"
    return Evaluation(part, f"{where}: {how}; {'; '.join(ours.signatures)}", rows)


def measured(loaded: LoadedSeq2Seq, measure: Measure) -> tuple[Pairs, str, str]:
    """The pairs that are asked for, what their part is called, and where they come from in words."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token as it goes on; without it, it would work")
    corpus = loaded.corpus(measure.data)
    part = measure.split or ("validation" if measure.data is None else "whole")
    pairs = corpus.part(part)
    if not len(pairs):
        raise DataError(f"the {part} part of {corpus.name} has no pairs: --split train, validation, test or whole")
    return pairs, part if measure.data is None else f"{part} of {measure.data}", f"{part} of {corpus.name} ({corpus.split})"


def written(loaded: LoadedSeq2Seq, sources: Sequence[str], search: Search) -> list[str]:
    """What the model writes for each source."""
    found = searched(loaded, sources, search)
    return [said(loaded, text, source_of(loaded, text)[0], best[0].ids) for text, best in zip(sources, found, strict=True)]


def row(found: Scored, count: int) -> Record:
    """The scores of one model."""
    return {"bleu": found.bleu, "bleu_lowercase": found.bleu_lowercase, "chrf": found.chrf, "exact": found.exact, "pairs": count}


def loss(loaded: LoadedSeq2Seq, pairs: Pairs) -> float:
    """Nats a token of the references, the mark counted."""
    rows = pair_rows(pairs, loaded.tokenizer, loaded.model.context)
    found = tally(loaded.model, (batch for _, batch in every(rows, loaded.spec.train.eval_batch)), loaded.device, target_of())
    return round(found.nats / found.tokens, 6)
