"""Sources in, texts out: the search over many sources at once, tokens one at a time, and words that were copied for want of a token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.data.pairs.rows import encoded
from heedful.data.tokens.word import UNKNOWN, Words, words_of
from heedful.errors import UsageError
from heedful.models.seq2seq.search import Hypothesis, Writer, beam_search
from heedful.models.seq2seq.sequence import Seq2SeqOutput, Writing
from heedful.spec.generation import Sampling
from heedful.spec.search import Search
from heedful.tasks.sampling import draw
from heedful.tasks.translate.loading import LoadedSeq2Seq

TOGETHER: Final = 64  # sources that are searched at once
ROOM: Final = 16  # tokens a text may have beyond twice its source's


def source_of(loaded: LoadedSeq2Seq, text: str) -> tuple[Int[Tensor, " s"], bool]:
    """The tokens of a source as the model reads them, the mark at their end, and whether it was cut.

    Errors: `UsageError` for an empty text.
    """
    if not text.strip():
        raise UsageError(f"there is nothing to {loaded.spec.task}: a text with a word in it would work")
    model = loaded.model
    ids = encoded(loaded.tokenizer, text.lower() if loaded.pairs.lowercase else text)
    return torch.cat([ids[: model.context - 1], torch.tensor([model.mark])]), len(ids) >= model.context


def room(loaded: LoadedSeq2Seq, length: int, most: int | None = None) -> int:
    """How many tokens a text may have whose source has `length`, the mark counted."""
    free = min(loaded.model.context, 2 * length + ROOM)
    return free if most is None else max(1, min(free, most))


def searched(loaded: LoadedSeq2Seq, texts: Sequence[str], search: Search, most: int | None = None) -> list[list[Hypothesis]]:
    """The hypotheses of all texts, in their order, the best of each first."""
    sources = [source_of(loaded, text)[0] for text in texts]
    order = sorted(range(len(texts)), key=lambda i: -len(sources[i]))
    found: list[list[Hypothesis]] = [[] for _ in texts]
    for start in range(0, len(order), TOGETHER):
        places = order[start : start + TOGETHER]
        lengths = torch.tensor([len(sources[i]) for i in places])
        source = torch.nn.utils.rnn.pad_sequence([sources[i] for i in places], batch_first=True, padding_value=loaded.model.mark)
        longest = room(loaded, int(lengths.max()), most)
        batch = beam_search(loaded.model, source.to(loaded.device), lengths.to(loaded.device), longest, search)
        for i, hypotheses in zip(places, batch, strict=True):
            found[i] = hypotheses
    return found


@torch.inference_mode()
def stepwise(
    loaded: LoadedSeq2Seq, source: Int[Tensor, " s"], most: int, sampling: Sampling, seed: int | None
) -> Iterator[tuple[int, float]]:
    """Tokens as they are drawn, or, without a seed, the likeliest, each with its log-probability; the mark ends them and is not given."""
    device = loaded.device
    writing = loaded.model.begin(source[None].to(device), torch.tensor([len(source)], device=device))
    generator = None if seed is None else torch.Generator(device).manual_seed(seed)
    yield from drawn(loaded.model, writing, most, sampling, generator, device)


@torch.inference_mode()
def drawn(
    model: Writer, writing: Writing, most: int, sampling: Sampling, generator: torch.Generator | None, device: torch.device
) -> Iterator[tuple[int, float]]:
    """The same of whatever was read, one row of `writing`; without a generator the likeliest token is taken."""
    chosen = Sampling(temperature=0.0, repetition_penalty=sampling.repetition_penalty) if generator is None else sampling
    last = torch.tensor([model.mark], device=device)
    seen = torch.zeros(1, 0, dtype=torch.long, device=device)
    for _ in range(most):
        logits = model.step(last, writing).float()
        last = draw(logits, seen, chosen, generator)
        seen = torch.cat([seen, last[:, None]], dim=1)
        if int(last) == model.mark:
            return
        yield int(last), float(logits.log_softmax(1)[0, last])


@torch.inference_mode()
def looked(loaded: LoadedSeq2Seq, source: Int[Tensor, " s"], ids: Sequence[int]) -> Seq2SeqOutput:
    """Where each token of a text that was written looked, and the mark after it."""
    model = loaded.model
    target = torch.tensor([[model.mark, *ids]], device=loaded.device)
    found: Seq2SeqOutput = model(source[None].to(loaded.device), torch.tensor([len(source)], device=loaded.device), target, trace=True)
    return found


def said(loaded: LoadedSeq2Seq, text: str, source: Int[Tensor, " s"], ids: Sequence[int]) -> str:
    """The text of tokens; a word that has none is the word of the source that was most looked at (Luong et al. 2015, arXiv 1410.8206)."""
    tokenizer = loaded.tokenizer
    if not isinstance(tokenizer, Words) or tokenizer.ids[UNKNOWN] not in ids:
        return tokenizer.decode(ids).strip()
    words = words_of(text.strip(), tokenizer.split)[: len(source) - 1]
    alignment = looked(loaded, source, ids).alignment
    assert alignment is not None
    pieces = [tokenizer.pieces[i] for i in ids]
    for place, token in enumerate(ids):
        if token == tokenizer.ids[UNKNOWN] and words:
            pieces[place] = f" {words[most_looked(alignment[0, place], len(words))]}".encode()
    return b"".join(pieces).decode("utf-8", "replace").strip()


def most_looked(weights: Float[Tensor, " s"], words: int) -> int:
    """The word of the source, its mark left out, that has most of the weight."""
    return int(weights[:words].argmax())
