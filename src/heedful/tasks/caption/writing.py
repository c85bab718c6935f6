"""Pictures and questions in, texts out: the search over many at once, tokens one at a time, and where each token looked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from heedful.data.captions.batches import asked_ids
from heedful.models.caption.captioning import CaptionOutput
from heedful.models.seq2seq.search import Hypothesis, search_from
from heedful.spec.generation import Sampling
from heedful.spec.search import Search
from heedful.tasks.caption.loading import LoadedCaptioner
from heedful.tasks.translate.writing import drawn
from heedful.train.pictures import numbers

TOGETHER: Final = 64  # texts that are searched for at once


def question_ids(loaded: LoadedCaptioner, question: str) -> Int[Tensor, " p"]:
    """The tokens of a question as the model reads them."""
    return asked_ids(question, loaded.tokenizer, loaded.model.context)


def room(loaded: LoadedCaptioner, asked: int, most: int | None = None) -> int:
    """How many tokens an answer may have, the mark counted, to a question of `asked`."""
    free = max(1, loaded.model.context - asked)
    return free if most is None else max(1, min(free, most))


def searched(
    loaded: LoadedCaptioner,
    pixels: UInt8[Tensor, "n c h w"],
    questions: Sequence[str],
    search: Search,
    most: int | None = None,
) -> list[list[Hypothesis]]:
    """The hypotheses for each picture and its question (empty: a caption is asked for), the best of each first."""
    asked = [question_ids(loaded, question) for question in questions]
    alike: dict[int, list[int]] = defaultdict(list)
    for i, ids in enumerate(asked):
        alike[len(ids)].append(i)
    found: list[list[Hypothesis]] = [[] for _ in questions]
    for length, places in alike.items():
        for start in range(0, len(places), TOGETHER):
            some = places[start : start + TOGETHER]
            with torch.inference_mode():
                x = numbers(pixels[some].to(loaded.device))
                writing = loaded.model.begin(x, torch.stack([asked[i] for i in some]).to(loaded.device))
            batch = search_from(loaded.model, writing, (len(some), room(loaded, length, most)), search, loaded.device)
            for i, hypotheses in zip(some, batch, strict=True):
                found[i] = hypotheses
    return found


@torch.inference_mode()
def stepwise(
    loaded: LoadedCaptioner, pixels: UInt8[Tensor, "c h w"], asked: Int[Tensor, " p"], most: int, sampling: Sampling, seed: int | None
) -> Iterator[tuple[int, float]]:
    """Tokens as they are drawn, or, without a seed, the likeliest, each with its log-probability."""
    device = loaded.device
    writing = loaded.model.begin(numbers(pixels[None].to(device)), asked[None].to(device))
    generator = None if seed is None else torch.Generator(device).manual_seed(seed)
    yield from drawn(loaded.model, writing, most, sampling, generator, device)


@torch.inference_mode()
def looked(
    loaded: LoadedCaptioner, pixels: UInt8[Tensor, "c h w"], asked: Int[Tensor, " p"], ids: Sequence[int]
) -> list[tuple[str, Tensor]]:
    """For each layer that reads the picture, its name and the weights (h, t, places) with which each token of an answer was chosen.

    The mark after the last token is one of them.
    """
    mark = loaded.model.mark
    whole = torch.cat([asked, torch.tensor([mark, *ids], dtype=torch.long)])[None, None]
    output: CaptionOutput = loaded.model(numbers(pixels[None].to(loaded.device)), whole.to(loaded.device), trace=True)
    return [(trace.name, trace.weights[0, :, len(asked) :].float().cpu()) for trace in output.traces]
