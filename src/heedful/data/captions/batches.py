"""Pictures and all their texts as tokens: a row a picture, so that each is read once however much is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from heedful.data.captions.captions import Captions
from heedful.data.captions.grammar import Said
from heedful.data.pairs.rows import encoded
from heedful.data.tokens import Tokenizer
from heedful.errors import DataError

IGNORED: Final = -100


class CaptionBatch(NamedTuple):
    """Pictures in bytes; of each text the question, the mark and the answer; and what follows each token of the answer.

    The label of a question's tokens, and of what is filled up, is -100.
    """

    pixels: UInt8[Tensor, "b c h w"]
    ids: Int[Tensor, "b k t"]
    labels: Int[Tensor, "b k t"]


def caption_batch(found: Captions, tokenizer: Tokenizer, context: int) -> CaptionBatch:
    """All pictures of a part as one batch, each text `context` tokens at most.

    Raises `DataError` for a question that leaves no room for an answer.
    """
    mark = tokenizer.size
    rows = [[row(said, tokenizer, context) for said in texts] for texts in found.texts]
    most = max((len(texts) for texts in rows), default=1)
    longest = max((len(ids) for texts in rows for ids, _ in texts), default=1)
    ids = torch.full((len(rows), most, longest), mark)
    labels = torch.full_like(ids, IGNORED)
    for i, texts in enumerate(rows):
        for j, (tokens, wanted) in enumerate(texts):
            ids[i, j, : len(tokens)], labels[i, j, : len(wanted)] = tokens, wanted
    return CaptionBatch(found.pixels, ids, labels)


def row(said: Said, tokenizer: Tokenizer, context: int) -> tuple[Int[Tensor, " t"], Int[Tensor, " t"]]:
    """The tokens of one text, and what follows each.

    >>> from heedful.data.tokens import train_tokenizer
    >>> ids, labels = row(Said("b?", "a", "what"), train_tokenizer("char", [" ab?"]), 8)
    >>> ids.tolist(), labels.tolist()
    ([0, 3, 1, 4, 0, 2], [-100, -100, -100, 0, 2, 4])
    """
    mark = torch.tensor([tokenizer.size])
    question, answer = asked_ids(said.question, tokenizer, context), encoded(tokenizer, said.answer)
    answer = answer[: context - len(question) - 1]
    ids = torch.cat([question, mark, answer])
    return ids, torch.cat([torch.full_like(question, IGNORED), answer, mark])


def asked_ids(question: str, tokenizer: Tokenizer, context: int) -> Int[Tensor, " p"]:
    """The tokens of a question; none where nothing is asked."""
    if not question.strip():
        return torch.zeros(0, dtype=torch.long)
    found = encoded(tokenizer, question)
    if len(found) + 2 > context:
        raise DataError(
            f"the question {question[:40]!r} has {len(found)} tokens: {context - 2} or fewer, or a larger model.context, would work"
        )
    return found


def every_text(parts: Sequence[Captions]) -> list[str]:
    """One text of all that is said and asked in each part, a line each."""
    return ["\n".join(" ".join((said.question, said.answer)).strip() for texts in part.texts for said in texts) for part in parts]
