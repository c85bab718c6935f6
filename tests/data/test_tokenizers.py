from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.data.tokens import TOKENIZERS, Tokenizer, load_tokenizer, save_tokenizer, tokenizer_from, tokenizer_state, train_tokenizer
from heedful.data.tokens.bpe import CHUNK, Pieces, chunks
from heedful.data.tokens.none import NoTokens
from heedful.data.tokens.word import Words
from heedful.errors import CheckpointError, UsageError

TEXT = "The cat sat on the mat.\nThe café's  hat — 帽子 \U0001f3a9\n\n  indented\n" * 8
KINDS = [kind.kind for kind in TOKENIZERS if kind is not NoTokens]  # which refuses every text
LOSSLESS = ["char", "byte", "bpe"]


@pytest.fixture(params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return train_tokenizer(request.param, [TEXT], 300)


def test_ids_are_within_the_vocabulary(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(TEXT)
    assert ids.dtype == torch.int64
    assert ids.dim() == 1
    assert 0 <= int(ids.min()) <= int(ids.max()) < tokenizer.size


def test_the_empty_text_has_no_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("").shape == (0,)
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("kind", LOSSLESS)
def test_decoding_gives_the_text_back(kind: str) -> None:
    tokenizer = train_tokenizer(kind, [TEXT], 300)
    assert tokenizer.decode(tokenizer.encode(TEXT).tolist()) == TEXT


def test_a_stream_says_what_decoding_says(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(TEXT).tolist()
    stream = tokenizer.stream()
    assert "".join([*map(stream.push, ids), stream.close()]) == tokenizer.decode(ids)


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_a_stream_never_gives_half_a_character(kind: str) -> None:
    tokenizer = train_tokenizer(kind, [TEXT], 260)
    stream = tokenizer.stream()
    pieces = [stream.push(i) for i in tokenizer.encode("é帽\U0001f3a9").tolist()]
    assert "".join(pieces) == "é帽\U0001f3a9"
    assert "" in pieces
    assert not any("\ufffd" in piece for piece in pieces)
    stream.push(tokenizer.encode("é").tolist()[0])
    assert stream.close() == "\ufffd"


def test_saved_and_loaded_it_is_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path / "t.json")
    again = load_tokenizer(tmp_path / "t.json")
    assert type(again) is type(tokenizer)
    assert again.size == tokenizer.size
    assert torch.equal(again.encode(TEXT), tokenizer.encode(TEXT))
    assert list(again.pieces) == list(tokenizer.pieces)


@pytest.mark.parametrize("kind", KINDS)
def test_training_twice_gives_the_same(kind: str) -> None:
    assert tokenizer_state(train_tokenizer(kind, [TEXT], 280)) == tokenizer_state(train_tokenizer(kind, [TEXT], 280))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(deadline=None, max_examples=50)
def test_bytes_and_pieces_say_every_text(text: str) -> None:
    for kind in ("byte", "bpe"):
        tokenizer = train_tokenizer(kind, [TEXT], 280)
        assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


def test_every_token_can_be_shown(tokenizer: Tokenizer) -> None:
    assert all(tokenizer.show(i) and "\n" not in tokenizer.show(i) for i in range(tokenizer.size))


def test_characters_refuse_what_they_never_saw() -> None:
    tokenizer = train_tokenizer("char", ["abc"])
    with pytest.raises(UsageError, match=r"character 'é' \(U\+00E9\) at place 2 .* 3 characters: 'abc'"):
        tokenizer.encode("abé")


def test_characters_know_all_parts_of_a_corpus() -> None:
    assert train_tokenizer("char", ["abc", "abd"]).encode("d").tolist() == [3]


def test_words_are_a_closed_vocabulary() -> None:
    tokenizer = Words.of("b a a c c c\n<unk> a\n", "space", size=4)
    assert tokenizer.words == ["<unk>", "<eos>", "a", "c"]
    assert tokenizer.encode("a b <unk> c\n\nc").tolist() == [2, 0, 0, 3, 1, 1, 3]


def test_words_of_a_tokenised_line_decode_to_it() -> None:
    text = ' \n = Title = \n \n He said , " it is " . \n'
    tokenizer = Words.of(text, "space")
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text


def test_words_split_signs_from_words_in_plain_text() -> None:
    tokenizer = train_tokenizer("word", ["Hello, world!\n"])
    assert sorted(tokenizer.state()["words"][2:]) == ["!", ",", "Hello", "world"]
    assert tokenizer.decode(tokenizer.encode("Hello, world!\n").tolist()) == " Hello, world!\n"


def test_a_text_with_unknowns_in_it_is_taken_as_tokenised() -> None:
    assert train_tokenizer("word", ["the <unk> don't\n"]).state()["split"] == "space"


def test_long_texts_are_cut_where_no_piece_reaches_across() -> None:
    text = TEXT * (3 * CHUNK // len(TEXT))
    tokenizer = train_tokenizer("bpe", [TEXT], 300)
    assert isinstance(tokenizer, Pieces)
    assert len(list(chunks(text))) > 2
    assert "".join(chunks(text)) == text
    assert tokenizer.encode(text).tolist() == tokenizer.engine.encode(text).ids


def test_a_bpe_vocabulary_has_room_for_the_bytes() -> None:
    with pytest.raises(UsageError, match="too small"):
        train_tokenizer("bpe", [TEXT], 100)
    assert train_tokenizer("bpe", ["aaaa"], 256).size == 256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cut short or not JSON"),
        ('{"version": 1, "kind": "char", "alph', "cut short or not JSON"),
        ("[1]", "not a tokenizer"),
        ('{"kind": "char"}', "tokenizer version None"),
        ('{"version": 9, "kind": "char", "alphabet": "a"}', "upgrade Heedful"),
        ('{"version": 1, "kind": "char"}', "not a whole char tokenizer"),
        ('{"version": 1, "kind": "word", "words": ["a"], "split": 3, "x": 1}', None),
    ],
)
def test_a_damaged_file_is_one_clear_line(text: str, says: str | None, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    if says is None:
        assert load_tokenizer(path).size == 1
        return
    with pytest.raises(CheckpointError, match=says) as caught:
        load_tokenizer(path)
    assert str(path) in str(caught.value)


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'word'"):
        tokenizer_from({"version": 1, "kind": "words"})
    with pytest.raises(UsageError, match="did you mean 'char'"):
        train_tokenizer("chars", ["a"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_tokenizer(tmp_path / "none.json")


def test_the_state_is_json() -> None:
    for kind in KINDS:
        state = tokenizer_state(train_tokenizer(kind, [TEXT], 280))
        assert json.loads(json.dumps(state)) == state
