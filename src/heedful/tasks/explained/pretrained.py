"""Models of Hugging Face as readers: classifiers, models that continue a text, and models that fill a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import Unsupported, UsageError
from heedful.explanations.subject import Subject
from heedful.tasks.explained.naming import class_named
from heedful.tasks.explained.reader import NextReader, Reader, chosen
from heedful.tasks.explained.tokens import Tokens


@final
@dataclass(frozen=True, eq=False)
class PretrainedClassReader(Reader):
    """A classifier of Hugging Face, asked for one class."""

    target: int = 0
    contrast: int | None = None

    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the class."""
        return chosen(self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits, self.target, self.contrast)


@final
@dataclass(frozen=True, eq=False)
class PretrainedWordReader(NextReader):
    """A model of Hugging Face that continues a text."""

    def logits(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t v"]:
        """What the model says of each place."""
        found: Tensor = self.model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
        return found


@final
@dataclass(frozen=True, eq=False)
class GapReader(Reader):
    """A model of Hugging Face that fills a gap, asked for one token at its first gap."""

    gap: int = 0
    target: int = 0
    contrast: int | None = None

    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the token at the first gap of each row, which is no unit and so always there."""
        logits = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        place = (ids == self.gap).float().argmax(1)
        return chosen(logits[torch.arange(len(ids), device=ids.device), place], self.target, self.contrast)


def pretrained_subject(model: nn.Module, given: Any, tokenizer: Any, target: Any, contrast: Any) -> Subject:
    """A text, or tokens, and the answer asked for (the likeliest unless given) of a Hugging Face model."""
    from heedful.models.pretrained import kind_of

    inner: Any = model
    ids = tokens_of(given, tokenizer)
    kind = kind_of(type(model).__name__)
    if kind == "classifier":
        return of_class(inner, ids, tokenizer, target, contrast)
    if kind == "causal":
        return of_next(inner, ids, tokenizer, target, contrast)
    if kind == "masked":
        return of_gap(inner, ids, tokenizer, target, contrast)
    raise Unsupported(f"{type(model).__name__}: a classifier, a causal or a masked language model of Hugging Face can be explained")


def tokens_of(given: Any, tokenizer: Any) -> Int[Tensor, " t"]:
    """The tokens of a text, or those that were given: (t,), (1, t), or a batch of one row with its mask."""
    if isinstance(given, str):
        if tokenizer is None:
            raise UsageError("a text needs tokenizer=, its model's own; tokens (t,) would work without one")
        given = tokenizer(given, return_tensors="pt")
    if isinstance(given, Tensor):
        ids, mask = given, None
    else:
        ids, mask = given["input_ids"], given.get("attention_mask")
    ids = torch.as_tensor(ids)
    if (ids.dim() == 2 and len(ids) != 1) or ids.dim() not in (1, 2):
        raise UsageError(f"one text is explained at a time: found tokens {tuple(ids.shape)}; a list of texts would work")
    row = ids.reshape(-1)
    return row if mask is None else row[torch.as_tensor(mask).reshape(-1).bool()]


def of_class(model: Any, ids: Int[Tensor, " t"], tokenizer: Any, target: Any, contrast: Any) -> Tokens:
    """Which class a text has."""
    labels = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    if len(labels) < 2:
        raise Unsupported(f"{type(model).__name__} gives one number a text: two classes or more can be explained")
    pad = model.config.pad_token_id
    blank = blank_of(tokenizer, pad)
    reader = PretrainedClassReader(model, first_of(blank, 0), blank, even=True, alone=pad is None)
    best = int(answered(reader, model(input_ids=ids[None].to(reader.device)).logits)) if target is None else class_named(target, labels)
    against = None if contrast is None else class_named(contrast, labels)
    asked = PretrainedClassReader(model, reader.empty, blank, True, pad is None, best, against)
    return with_units(asked, ids, tokenizer, labels[best], None if against is None else labels[against])


def of_next(model: Any, ids: Int[Tensor, " t"], tokenizer: Any, target: Any, contrast: Any) -> Tokens:
    """What follows a text."""
    empty = first_of(model.config.bos_token_id, first_of(model.config.eos_token_id, 0))
    empty = empty if empty < model.get_input_embeddings().weight.shape[0] else 0
    blank = blank_of(tokenizer, None)
    if target is None:
        with torch.no_grad():
            target = int(model(input_ids=ids[None].to(model.device)).logits[0, -1].argmax())
    words, against = (() if each is None else spelled(each, tokenizer) for each in (target, contrast))
    reader = PretrainedWordReader(model, empty, blank, True, False, words, against)
    return with_units(reader, ids, tokenizer, shown(words, tokenizer), shown(against, tokenizer) if against else None)


def of_gap(model: Any, ids: Int[Tensor, " t"], tokenizer: Any, target: Any, contrast: Any) -> Tokens:
    """What fills a text's gap."""
    gap = None if tokenizer is None else tokenizer.mask_token_id
    if gap is None or not bool((ids == gap).any()):
        raise UsageError("a model that fills gaps needs its tokenizer, and one gap in the text: [MASK] where a word is missing would work")
    reader = GapReader(
        model, first_of(tokenizer.pad_token_id, 0), blank_of(tokenizer, model.config.pad_token_id, not_this=gap), even=True, gap=gap
    )
    if target is None:
        with torch.no_grad():
            found = model(input_ids=ids[None].to(model.device)).logits[0]
        target = int(found[(ids == gap).float().argmax()].argmax())
    words = [None if each is None else spelled(each, tokenizer) for each in (target, contrast)]
    if any(word is not None and len(word) != 1 for word in words):
        raise UsageError("a gap is filled by one token: a word that the tokenizer keeps whole would work")
    best, against = (None if word is None else word[0] for word in words)
    asked = GapReader(model, reader.empty, reader.blank, True, False, gap, first_of(best, 0), against)
    return with_units(
        asked, ids, tokenizer, shown((first_of(best, 0),), tokenizer), None if against is None else shown((against,), tokenizer)
    )


@torch.no_grad()
def answered(reader: Reader, logits: Tensor) -> Tensor:
    """The likeliest class of one row."""
    return logits[0].argmax()


def with_units(reader: Reader, ids: Int[Tensor, " t"], tokenizer: Any, answer: str, contrast: str | None) -> Tokens:
    """Every token but the special ones as a unit."""
    special = set() if tokenizer is None else set(tokenizer.all_special_ids)
    own = [i for i, token in enumerate(ids.tolist()) if token not in special]
    names = [shown((int(ids[i]),), tokenizer) for i in own]
    return Tokens(reader, ids, names, answer, contrast=contrast, places=[(i,) for i in own])


def shown(tokens: tuple[int, ...], tokenizer: Any) -> str:
    """Tokens as a reader sees them."""
    if tokenizer is None:
        return " ".join(map(str, tokens))
    return "".join(str(tokenizer.decode([token])) for token in tokens)


def spelled(word: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens of an answer: a token's number, or a text."""
    if isinstance(word, int):
        return (word,)
    if tokenizer is None:
        raise UsageError(f"the answer {word!r} needs tokenizer=; a token's number would work without one")
    found = tuple(int(token) for token in tokenizer(str(word), add_special_tokens=False)["input_ids"])
    if not found:
        raise UsageError(f"the answer {word!r} has no tokens: a word would work")
    return found


def blank_of(tokenizer: Any, pad: int | None, not_this: int | None = None) -> int | None:
    """The token that stands for a missing one: the mask, else the unknown one, else padding."""
    known = () if tokenizer is None else (tokenizer.mask_token_id, tokenizer.unk_token_id)
    return next((token for token in (*known, pad) if token is not None and token != not_this), None)


def first_of(value: Any, otherwise: int) -> int:
    """A number that a configuration may leave out, or hold several of."""
    found = value[0] if isinstance(value, list | tuple) else value
    return otherwise if found is None else int(found)
