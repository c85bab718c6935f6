"""Windows of a text as the batches that each kind of language model is judged on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.errors import DataError, UsageError
from heedful.models.pretrained import Kind, Pretrained, quiet
from heedful.train.metrics import IGNORED

Row = dict[str, Tensor]
MASKED = 0.15
LONGEST = 1024  # of the windows that are cut where nobody says a length; many models place far more than a page


@dataclass(frozen=True)
class Reader:
    """How a model reads: text to tokens, and a window of `size` tokens to one row of a batch.

    `step` says how far apart windows start: as far as they reach, less the token that only ends one.
    """

    encode: Callable[[str], Int[Tensor, " n"]]
    row: Callable[[Int[Tensor, " size"]], Row]
    size: int
    step: int


def next_token(ids: Int[Tensor, " n"]) -> Row:
    """A row for our language models: the label of a place is the token after it.

    >>> next_token(torch.tensor([4, 5, 6]))["labels"]
    tensor([5, 6])
    """
    return {"input_ids": ids[:-1], "labels": ids[1:]}


def reader_of(opened: Pretrained, length: int) -> Reader:
    """How a Hugging Face model reads windows of `length` tokens, its own marks at their ends counted."""
    tokenizer = opened.tokenizer
    if tokenizer is None:
        raise UsageError(f"{opened.name}: no tokenizer beside the model, so no text can be read: save one in its folder")
    before, after = marks(tokenizer)
    size = length - len(before) - len(after)
    if size < 2:
        raise UsageError(
            f"--length is {length}: {len(before) + len(after) + 2} or more would leave two tokens beside this tokenizer's marks"
        )
    rows: dict[Kind, Callable[[Int[Tensor, " n"]], Row]] = {
        "causal": lambda ids: causal(framed(ids, before, after)),
        "masked": lambda ids: masked(ids, before, after, mask_token(opened)),
        "seq2seq": lambda ids: continued(ids, before, after),
    }

    def encode(text: str) -> Int[Tensor, " n"]:
        with quiet():  # that a text is longer than the model reads at once is what windows are for
            ids = torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"], dtype=torch.long)
        most = opened.model.config.get_text_config().vocab_size
        if ids.numel() and int(ids.max()) >= most:
            raise DataError(
                f"{opened.name}: its tokenizer gives token {int(ids.max())}, its model knows {most}: they do not belong together"
            )
        return ids

    return Reader(encode, rows[opened.kind], size, size)


def marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The tokens that this tokenizer puts before and after a text."""
    found = list(tokenizer("")["input_ids"])
    first = {tokenizer.bos_token_id, tokenizer.cls_token_id} - {None}
    cut = 1 if found and found[0] in first else 0
    return found[:cut], found[cut:]


def framed(ids: Int[Tensor, " n"], before: Sequence[int], after: Sequence[int]) -> Int[Tensor, " t"]:
    """The tokens between the marks."""
    return torch.cat([torch.tensor(before, dtype=torch.long), ids, torch.tensor(after, dtype=torch.long)])


def causal(ids: Int[Tensor, " t"]) -> Row:
    """Every token but the first is predicted from those before it."""
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()}


def masked(ids: Int[Tensor, " n"], before: Sequence[int], after: Sequence[int], mask: int) -> Row:
    """15 % of the tokens, the same ones of the same text each time, are hidden and to be guessed (Devlin et al. 2018, arXiv 1810.04805)."""
    generator = torch.Generator().manual_seed(int(ids.sum()) + len(ids))
    hidden = torch.randperm(len(ids), generator=generator)[: max(1, round(MASKED * len(ids)))]
    chosen = torch.zeros_like(ids, dtype=torch.bool).index_fill(0, hidden, True)
    inside = slice(len(before), len(before) + len(ids))
    shown, labels = framed(ids.masked_fill(chosen, mask), before, after), framed(ids, before, after)
    wanted = torch.full_like(labels, IGNORED)
    wanted[inside] = ids.where(chosen, IGNORED)
    return {"input_ids": shown, "attention_mask": torch.ones_like(shown), "labels": wanted}


def continued(ids: Int[Tensor, " n"], before: Sequence[int], after: Sequence[int]) -> Row:
    """The second half of the window is what the first is answered with."""
    half = len(ids) // 2
    source = framed(ids[:half], before, after)
    return {"input_ids": source, "attention_mask": torch.ones_like(source), "labels": framed(ids[half:], (), after)}


def mask_token(opened: Pretrained) -> int:
    """The token that stands for a hidden one."""
    token = None if opened.tokenizer is None else opened.tokenizer.mask_token_id
    if token is None:
        raise UsageError(f"{opened.name}: a masked language model whose tokenizer has no mask token cannot be asked for hidden words")
    return int(token)


def longest_of(opened: Pretrained) -> int | None:
    """The most tokens a Hugging Face model says it can place; None where it says nothing.

    RoBERTa's and its kin's tables begin behind the padding token: their tokenizer's own bound says what is left.
    """
    places = opened.model.config.get_text_config().to_dict().get("max_position_embeddings")
    stated = None if opened.tokenizer is None else opened.tokenizer.model_max_length
    bounds = [bound for bound in (places, stated) if isinstance(bound, int) and 0 < bound < 10**9]
    return min(bounds) if bounds else None
