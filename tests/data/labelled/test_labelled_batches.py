"""Batches of texts: each once an epoch, near in length, the same again after a seek."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.data.batches import Share
from heedful.data.labelled.batches import Bucketed, TextBatch, every
from heedful.data.labelled.feed import TextFeed
from heedful.data.labelled.rows import Rows, rows_of
from heedful.data.labelled.texts import Texts
from heedful.data.tokens import train_tokenizer
from heedful.errors import DataError, UsageError
from heedful.spec import TrainSpec


def rows(lengths: list[int]) -> Rows:
    """Texts whose every token is their own number, plus one."""
    sizes = torch.tensor(lengths)
    tokens = torch.cat([torch.full((size,), i + 1) for i, size in enumerate(lengths)])
    return Rows(tokens, sizes.cumsum(0) - sizes, sizes, torch.arange(len(lengths)) % 3)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_has_every_text_once_and_padding_only_at_ends(lengths: list[int], batch: int, seed: int) -> None:
    texts = rows(lengths)
    source = Bucketed(texts, batch, seed=seed)
    drawn: Counter[int] = Counter()
    for _ in range(len(source.batches)):
        found = source.draw()
        assert found.ids.shape == (batch, int(found.lengths.max()))
        for row, length, label in zip(found.ids, found.lengths.tolist(), found.labels.tolist(), strict=True):
            number = int(row[0])
            assert (row[:length] == number).all()
            assert (row[length:] == 0).all()
            assert (length, label) == (lengths[number - 1], (number - 1) % 3)
            drawn[number] += 1
    if batch <= len(lengths):
        assert set(drawn.values()) == {1}
        assert len(drawn) == len(lengths) // batch * batch


def test_texts_of_a_batch_are_alike_in_length() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 500, (1000,), generator=generator).tolist()
    source = Bucketed(rows(lengths), 10)
    waste = [1 - float(batch.lengths.double().mean()) / batch.ids.shape[1] for batch in (source.draw() for _ in range(100))]
    assert sum(waste) / len(waste) < 0.05
    places = [int(batch.lengths.max()) for batch in (source.draw() for _ in range(100))]
    assert places != sorted(places)  # and the batches come in any order


@pytest.mark.parametrize("order", ["shuffled", "random"])
def test_a_seek_goes_on_with_the_same_batches(order: str) -> None:
    texts = rows(list(range(1, 24)))
    source = Bucketed(texts, 4, seed=5, order=order)  # type: ignore[arg-type]
    for _ in range(7):  # into the second epoch
        source.draw()
    cursor = source.cursor()
    expected = [source.draw() for _ in range(9)]
    other = Bucketed(texts, 4, seed=5, order=order)  # type: ignore[arg-type]
    other.seek(cursor)
    for batch in expected:
        again = other.draw()
        assert batch.marks is None
        assert again.marks is None
        assert all(torch.equal(one, two) for one, two in zip(batch[:3], again[:3], strict=True))


def test_processes_share_every_batch() -> None:
    texts = rows(list(range(1, 24)))
    alone = Bucketed(texts, 4, seed=1)
    shares = [Bucketed(texts, 2, Share(rank, 2), seed=1) for rank in range(2)]
    for _ in range(8):
        whole = sorted(alone.draw().ids[:, 0].tolist())
        assert sorted(number for share in shares for number in share.draw().ids[:, 0].tolist()) == whole


def test_every_text_is_judged_once() -> None:
    texts = rows([5, 1, 4, 2, 2])
    found = [(int(place), int(row[0])) for places, batch in every(texts, 2) for place, row in zip(places, batch.ids, strict=True)]
    assert sorted(found) == [(i, i + 1) for i in range(5)]


@pytest.mark.parametrize(("keep", "kept"), [("head", "abcd"), ("tail", "wxyz"), ("ends", "axyz")])
def test_long_texts_are_cut_as_asked(keep: str, kept: str) -> None:
    tokens = train_tokenizer("char", ["abcdefwxyz"])
    found = rows_of(Texts(("abcdefwxyz", "ab", ""), ("0", "1", "0")), ("0", "1"), tokens, 4, keep)  # type: ignore[arg-type]
    assert tokens.decode(found.tokens[:4].tolist()) == kept
    assert (found.cut, found.lengths.tolist()) == (1, [4, 2, 1])


def test_the_feed_refuses_streams_and_nothing_to_learn_from() -> None:
    feed = TextFeed(rows([1, 2]), rows([3]))
    with pytest.raises(UsageError, match=r"train\.order is stream"):
        feed.source(TrainSpec(order="stream"), Share())
    with pytest.raises(DataError, match="no texts"):
        Bucketed(Rows(*(torch.zeros(0, dtype=torch.long) for _ in range(4))), 2)
    assert feed.fingerprint() != TextFeed(rows([2, 1]), rows([3])).fingerprint()
    assert isinstance(next(feed.judged(TrainSpec())), TextBatch)
