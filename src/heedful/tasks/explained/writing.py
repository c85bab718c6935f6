"""Why one text was written for another: the source and what is written so far as one row of tokens, the answer the words that come next.

A row is the source, its mark, the mark that begins the target, and the tokens written: as marks are no units they always stay, and the
first of them says where the source ends, whatever else is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.data.pairs.rows import encoded
from heedful.data.tokens import Tokenizer
from heedful.errors import UsageError
from heedful.manage.site import Site
from heedful.models.seq2seq.search import beam_search
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.spec.search import Search
from heedful.tasks.explained.naming import blank_of, said, word_tokens
from heedful.tasks.explained.reader import Reader, continued, gathered
from heedful.tasks.explained.tokens import Tokens
from heedful.tasks.explained.watching import Named, two_streams, unwatched
from heedful.tasks.translate.units import units

READ, WRITTEN = "the source", "written before it"


class Streams(NamedTuple):
    """Sources with their lengths, and targets so far with theirs."""

    source: Int[Tensor, "b s"]
    sizes: Int[Tensor, " b"]
    written: Int[Tensor, "b p"]
    lengths: Int[Tensor, " b"]


@final
@dataclass(frozen=True, eq=False)
class WritingReader(Reader):
    """A model that reads a text and writes another, asked for the tokens `target` after what is written; `reads` is the source's length."""

    target: tuple[int, ...] = ()
    contrast: tuple[int, ...] = ()
    mark: int = 0
    reads: int = 0

    @property
    def twice(self) -> bool:
        """Answers that differ before their last tokens take a pass each."""
        return bool(self.contrast) and self.target[:-1] != self.contrast[:-1]

    def log_probability(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Of the answer's tokens together, less that of the contrast."""
        streams = parted(ids, lengths, self.mark)
        found, logits = self.of_answer(streams, self.target, None)
        if not self.contrast:
            return found
        return found - self.of_answer(streams, self.contrast, None if self.twice else logits)[0]

    def of_answer(self, streams: Streams, answer: tuple[int, ...], logits: Tensor | None) -> tuple[Tensor, Tensor]:
        """The log-probability of some tokens, and the logits they were taken from."""
        longer, places = continued(streams.written, streams.lengths, answer)
        if logits is None:
            logits = self.model(streams.source, streams.sizes, longer).logits
        return gathered(logits, places, answer), logits

    def arranged(self, features: Float[Tensor, "b t m"]) -> tuple[Float[Tensor, "b c m"], ...]:
        """The source, and what is written."""
        return features[:, : self.reads], features[:, self.reads :]

    def named(self, site: Site) -> Named:
        """A layer that reads, one that writes, or one that looks from what is written to what was read."""
        return two_streams(site, "reading")

    @torch.no_grad()
    def read(self, ids: Int[Tensor, " t"]) -> Float[Tensor, " t"] | None:
        """Of a model whose layers cannot be looked into, what the answer's tokens read of the source."""
        if unwatched(self.model) is None:
            return None
        streams = parted(ids[None], torch.tensor([len(ids)], device=ids.device), self.mark)
        longer, places = continued(streams.written, streams.lengths, self.target)
        alignment = self.model(streams.source, streams.sizes, longer, trace=True).alignment
        read = alignment[0, places[0]].mean(0)
        return torch.cat([read, read.new_zeros(len(ids) - len(read))])


def parted(ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"], mark: int) -> Streams:
    """Rows cut behind their first mark; what is beyond a source or a target is filled with marks.

    >>> parted(torch.tensor([[3, 4, 9, 9, 5], [3, 9, 9, 5, 0]]), torch.tensor([5, 4]), 9).written.tolist()
    [[9, 5], [9, 5]]
    """
    sizes = (ids == mark).int().argmax(1) + 1
    rest = lengths.to(ids.device) - sizes
    at = torch.arange(ids.shape[1], device=ids.device)
    source = torch.where(at < sizes[:, None], ids, mark)[:, : int(sizes.max())]
    behind = (at[: int(rest.max())] + sizes[:, None]).clamp(max=ids.shape[1] - 1)
    written = torch.where(at[: int(rest.max())] < rest[:, None], ids.gather(1, behind), mark)
    return Streams(source, sizes, written, rest)


@dataclass(frozen=True, eq=False)
class Written:
    """A source with its mark at the end, and the tokens (without marks) that were written for it."""

    source: Int[Tensor, " s"]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Wanted:
    """Which tokens of what was written are to be explained, and what they are held against."""

    first: int
    target: tuple[int, ...]
    contrast: tuple[int, ...] = ()


def of_written(model: Seq2Seq, text: Written, wanted: Wanted, tokenizer: Tokenizer | None) -> Tokens:
    """Why these words were written: units are the words of the source and those written before."""
    before = text.ids[: wanted.first]
    device = next(model.parameters()).device
    ids = torch.cat([text.source.cpu(), torch.tensor([model.mark, *before])]).to(device)
    read = words_of(tokenizer, text.source.tolist()[:-1], 0)
    own = words_of(tokenizer, before, len(text.source) + 1)
    reader = WritingReader(
        model, model.mark, blank_of(tokenizer), target=wanted.target, contrast=wanted.contrast, mark=model.mark, reads=len(text.source)
    )
    named = [spoken(tokens, tokenizer, model.mark) for tokens in (wanted.target, wanted.contrast)]
    return Tokens(
        reader,
        ids,
        [name for name, _ in (*read, *own)],
        named[0],
        contrast=named[1] or None,
        places=[places for _, places in (*read, *own)],
        parts=((READ, len(read)), (WRITTEN, len(own))) if own else (),
    )


def written_by(model: Seq2Seq, given: Any, tokenizer: Tokenizer | None) -> Written:
    """`{"source": ..., "written": ...}`, each a text or its tokens, or a source alone: then what the model writes for it."""
    source, ids = (given["source"], given.get("written")) if isinstance(given, Mapping) else (given, None)
    read = torch.cat([plain(source, tokenizer, model)[: model.context - 1].cpu(), torch.tensor([model.mark])])
    if ids is not None:
        return Written(read, tuple(plain(ids, tokenizer, model).tolist()))
    training, device = model.training, next(model.parameters()).device
    found = beam_search(model.eval(), read[None].to(device), torch.tensor([len(read)], device=device), model.context, Search(beams=1))
    model.train(training)
    return Written(read, tuple(found[0][0].ids))


def plain(given: Any, tokenizer: Tokenizer | None, model: Seq2Seq) -> Int[Tensor, " t"]:
    """The tokens of a text, or those that were given, without a mark."""
    if isinstance(given, str) and tokenizer is None:
        raise UsageError("a text needs tokenizer=, the one its model was trained with; tokens (t,) would work without one")
    ids = encoded(tokenizer, given) if isinstance(given, str) and tokenizer is not None else torch.as_tensor(given).reshape(-1)
    return ids[ids != model.mark]


def words_of(tokenizer: Tokenizer | None, ids: Sequence[int], first: int) -> list[tuple[str, tuple[int, ...]]]:
    """The words of some tokens and their places, counted from `first`; each token by itself where no tokenizer says how it is written."""
    if tokenizer is None:
        return [(f"␣{i}", (first + place,)) for place, i in enumerate(ids)]
    return [(f"␣{unit.text}", tuple(first + place for place in unit.places)) for unit in units(tokenizer, ids)]


def spoken(tokens: tuple[int, ...], tokenizer: Tokenizer | None, mark: int) -> str:
    """Tokens of an answer as a reader sees them; the mark is the end."""
    plain = [token for token in tokens if token != mark]
    ended = "(the end)" if len(plain) < len(tokens) else ""
    return "".join([*said(plain, tokenizer), ended]).strip("␣")


def wanted_of(ids: tuple[int, ...], mark: int, tokenizer: Tokenizer | None, target: object, contrast: object) -> Wanted:
    """The word of the target that is asked for, by itself or by its number from 1 (the whole text unless given), and the contrast.

    Errors: `UsageError` for a word that was not written, and for a contrast without one.
    """
    if target is None:
        if contrast is not None:
            raise UsageError("a contrast is held against one word: target=, one of the words that were written, would work")
        return Wanted(0, (*ids, mark))
    found = words_of(tokenizer, ids, 0)
    names = [name.strip("␣") for name, _ in found]
    place = place_of(str(target), names)
    places = found[place][1]
    tokens = tuple(ids[at] for at in places)
    against = () if contrast is None else as_written(contrast, tokenizer, mark, tokens[0])
    if against == tokens:
        raise UsageError("an answer against itself says nothing: another contrast would work")
    return Wanted(places[0], tokens, against)


def place_of(word: str, names: Sequence[str]) -> int:
    """Where a word stands among those written: the first of equals, or by its number from 1.

    >>> place_of("dog", ["a", "dog"]), place_of("1", ["a", "dog"])
    (1, 0)
    """
    if word in names:
        return list(names).index(word)
    if word.isdigit() and 1 <= int(word) <= len(names):
        return int(word) - 1
    raise UsageError(f"{word!r} is no word of what was written: {', '.join(names)}; one of them, or 1 to {len(names)}, would work")


def as_written(word: object, tokenizer: Tokenizer | None, size: int, beside: int) -> tuple[int, ...]:
    """The tokens of another word in the place of one that begins with the token `beside`: with a space before it where that has one."""
    if tokenizer is None and not isinstance(word, int):
        raise UsageError(f"the contrast {word!r} needs tokenizer=; a token's number would work without one")
    if tokenizer is None or isinstance(word, int):
        return (int(str(word)),)
    spaced = tokenizer.pieces[beside].startswith(b" ")
    return word_tokens(f" {word}" if spaced else word, tokenizer, size)
