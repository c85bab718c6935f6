"""How well a language model predicts a whole text, by a stated protocol, and what counting alone achieves on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.batches import Batch, whole
from heedful.errors import DataError, UsageError
from heedful.models.ngram import Ngram
from heedful.tasks.loading import Loaded
from heedful.tasks.task import Evaluation, Measure, Record
from heedful.train.metrics import IGNORED, Tally, perplexity, scores, tally
from heedful.train.run import Run

BASELINES = {"unigram": 1, "trigram": 3}


def evaluate(loaded: Loaded, measure: Measure) -> Evaluation:
    """The scores of a model (and of the baselines) over every token but the first of a part of a text."""
    corpus = loaded.corpus(measure.data)
    part = measure.split or ("validation" if measure.data is None else "whole")
    text = corpus.train + corpus.validation + corpus.test if part == "whole" else corpus.part(part)
    ids = loaded.tokenizer.encode(text)
    if len(ids) < 2:
        raise DataError(
            f"the {part} part of {corpus.name} has {len(ids)} tokens, and at least 2 are needed: --split train, validation, test or whole"
        )
    batches, how = reading(loaded, ids, measure.stride)
    found = tally(loaded.model, batches, loaded.device)
    first = loaded.tokenizer.decode(ids[:1].tolist())
    rows: dict[str, Record] = {loaded.spec.model.kind: row(found, text, first)}
    if measure.baselines:
        rows |= {name: row(counted(loaded, ids, length), text, first) for name, length in BASELINES.items()}
    where = f"{part} of {corpus.name}" + (f" ({corpus.split})" if part != "whole" else "")
    return Evaluation(part if measure.data is None else f"{part} of {measure.data}", f"{where}; {len(ids) - 1:,} tokens, {how}", rows)


def reading(loaded: Loaded, ids: Int[Tensor, " n"], stride: int | None) -> tuple[Iterator[Batch], str]:
    """The batches a text is read in, and that in words."""
    context, batch = loaded.model.context, loaded.spec.train.eval_batch
    if stride is not None:
        how = f"in windows of {context}, {stride} tokens scored at a time with at least {context - stride} before them"
        return strided(ids, batch, context, stride), how
    if loaded.spec.train.order == "stream":
        streams = max(1, min(batch, (len(ids) - 1) // context))
        return whole(ids, batch, context, carry=True), f"in {streams} streams by {context}, what is remembered carried along"
    return whole(ids, batch, context), f"in blocks of {context}, nothing seen across their edges"


def strided(ids: Int[Tensor, " n"], batch: int, context: int, stride: int) -> Iterator[Batch]:
    """Overlapping windows, each token scored once: all of the first window, the last `stride` of every other.

    >>> [(b.ids.shape, int((b.labels >= 0).sum())) for b in strided(torch.arange(12), 2, context=4, stride=3)]
    [(torch.Size([2, 4]), 7), (torch.Size([1, 4]), 3), (torch.Size([1, 4]), 1)]
    """
    if not 1 <= stride <= context:
        raise UsageError(f"--stride is {stride}: 1 to {context}, the model's context, would work")
    labels, last = ids[1:], len(ids) - 1
    size = min(context, last)
    starts = torch.arange(0, last - size + 1, stride)
    windows = ids[:-1].unfold(0, size, 1)[starts]
    wanted = labels.unfold(0, size, 1)[starts].clone()
    wanted[1:, : size - stride] = IGNORED
    for at in range(0, len(starts), batch):
        yield Batch(windows[at : at + batch], wanted[at : at + batch])
    rest = last - (int(starts[-1]) + size)
    if rest:
        tail = labels[-size:].clone()
        tail[: size - rest] = IGNORED
        yield Batch(ids[-size - 1 : -1][None], tail[None])


def counted(loaded: Loaded, ids: Int[Tensor, " n"], length: int) -> Tally:
    """The same text under a model of counted grams of the run's own training text."""
    training = loaded.tokenizer.encode(loaded.corpus().train)
    losses = Ngram.fit(training.numpy(), loaded.tokenizer.size, length).losses(ids.numpy())[1:]
    return Tally(float(losses.sum()), len(losses), -1)


def row(found: Tally, text: str, first: str) -> Record:
    """The scores of one model; the text after its first token is what was predicted."""
    said = text[len(first) :] if text.startswith(first) else text
    words = len(said.split()) + said.count("\n")  # as WikiText counts them: a line's end is one
    result: dict[str, float | int | None] = dict(asdict(scores(found, len(said))))
    if found.correct < 0:
        result["accuracy"] = None
    return result | {"word_perplexity": perplexity(found.nats / words) if words else None}


def record(run: Run, evaluation: Evaluation) -> None:
    """Write it to the run's metrics.json, beside what was measured on other parts."""
    before: dict[str, object] = {}
    with suppress(FileNotFoundError, ValueError):
        before = json.loads(run.metrics_path.read_text(encoding="utf-8"))
    run.save_metrics({**before, evaluation.part: {"protocol": evaluation.protocol, "models": evaluation.rows, **listed(evaluation)}})


def listed(evaluation: Evaluation) -> Record:
    """The tables beside the scores, where there are any."""
    return {"listings": [asdict(listing) for listing in evaluation.listings]} if evaluation.listings else {}
