from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from heedful.data.files import read_text
from heedful.data.reference import blocks, python_reference
from heedful.data.sources import data_home, load_corpus
from heedful.data.text import tokenise
from heedful.errors import DataError
from heedful.spec import DataSpec

WORDS = "one two three four five six seven eight nine ten\n" * 20


def test_a_file_is_cut_by_shares_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(WORDS)
    corpus = load_corpus(DataSpec(str(path), validation=0.1, test=0.2))
    assert corpus.train + corpus.validation + corpus.test == WORDS
    assert [len(corpus.train), len(corpus.validation), len(corpus.test)] == [686, 98, 196]


def test_line_ends_become_newlines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\nb\rc\n")
    assert read_text(path) == "a\nb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_marks_are_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("café\n", encoding=encoding)
    assert read_text(path, "latin-1" if encoding == "latin-1" else "utf-8") == "café\n"


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(WORDS.encode()))
    assert read_text(path) == WORDS


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\n\t", "empty: 4 bytes"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "binary"),
        ("a.txt", b"text\0text", "binary, not text: a zero byte at 4"),
        ("a.txt", b"caf\xe9 and more plain text\n", r"not utf-8: byte 0xe9 at offset 3 \(invalid continuation byte\)"),
        ("a.txt", "é".encode() * 3 + b"\xc3", "offset 6"),
        ("a.txt.gz", b"plain text", "not a whole gzip file"),
        ("a.txt.gz", gzip.compress(WORDS.encode(), mtime=0)[:-20], "not a whole gzip file"),
    ],
)
def test_what_is_no_text_is_one_clear_line(name: str, data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=says) as caught:
        load_corpus(DataSpec(str(path)))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    with pytest.raises(DataError, match="unknown encoding 'utf-9'"):
        read_text(path, "utf-9")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_the_right_to_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        read_text(path)


def test_a_folder_of_texts_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "deep/c.txt", "ignored.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty.txt").touch()
    (tmp_path / ".hidden.txt").write_text("hidden")
    corpus = load_corpus(DataSpec(str(tmp_path)))
    assert corpus.train + corpus.validation == "a.txt\nb.txt\ndeep/c.txt"


@pytest.mark.parametrize("names", [("train.txt", "valid.txt", "test.txt"), ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens")])
def test_a_folder_with_its_own_split_keeps_it(names: tuple[str, str, str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text(name)
    corpus = load_corpus(DataSpec(str(tmp_path)))
    assert (corpus.train, corpus.validation, corpus.test) == names
    assert "own files" in corpus.split


def test_sources_joined_by_a_plus_keep_their_own_parts(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for part in ("train", "valid", "test"):
            (tmp_path / name / f"{part}.txt").write_text(f"{name} {part}")
    corpus = load_corpus(DataSpec(f"{tmp_path / 'one'}+{tmp_path / 'two'}"))
    assert (corpus.train, corpus.validation, corpus.test) == ("one train\ntwo train", "one valid\ntwo valid", "one test\ntwo test")
    whole = tmp_path / "a+b.txt"
    whole.write_text(WORDS)
    assert load_corpus(DataSpec(str(whole))).train == WORDS[:882]
    with pytest.raises(DataError, match="no text at 'nothing'"):
        load_corpus(DataSpec(f"{tmp_path / 'one'}+nothing"))


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text files"):
        load_corpus(DataSpec(str(tmp_path)))


def test_a_named_set_is_found_under_heedful_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    (tmp_path / "tinyshakespeare").mkdir()
    (tmp_path / "tinyshakespeare" / "input.txt").write_text(WORDS)
    corpus = load_corpus(DataSpec("tinyshakespeare"))
    assert corpus.train == WORDS[: int(0.9 * len(WORDS))]
    with pytest.raises(DataError, match="did you mean 'tinyshakespeare'") as caught:
        load_corpus(DataSpec("tinyshakespear"))
    assert "python-reference" in str(caught.value)


def test_no_set_at_all_says_where_one_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path / "none"))
    for source in ("nothing-here", "", "../..nowhere", "no/such/file.txt"):
        with pytest.raises(DataError, match="HEEDFUL_DATA"):
            load_corpus(DataSpec(source))


def test_the_embedded_text_is_always_there_and_the_same() -> None:
    corpus = load_corpus(DataSpec())
    again = python_reference()
    assert corpus == again
    whole = len(corpus.train) + len(corpus.validation) + len(corpus.test)
    assert whole > 300_000
    assert 0.09 < len(corpus.validation) / whole < 0.11
    assert 0.09 < len(corpus.test) / whole < 0.11


def test_blocks_cut_between_lines_and_lose_nothing() -> None:
    text = "".join(f"line {i}\n" for i in range(50))
    for count in (1, 7, 20):
        parts = blocks(text, count)
        assert len(parts) == count
        assert "".join(parts) == text
        assert all(part.endswith("\n") for part in parts)


@pytest.mark.parametrize("kind", ["char", "byte", "word", "bpe"])
def test_a_corpus_becomes_tokens_part_by_part(kind: str) -> None:
    spec = DataSpec(tokenizer=kind, vocabulary=300)  # type: ignore[arg-type]
    tokenised = tokenise(load_corpus(spec), spec)
    assert set(tokenised.ids) == {"train", "validation", "test"}
    assert all(len(ids) > 1000 for ids in tokenised.ids.values())


@pytest.mark.data
@pytest.mark.skipif(not (data_home() / "wikitext-2").is_dir(), reason="no wikitext-2 under $HEEDFUL_DATA")
def test_wikitext_has_the_published_number_of_tokens() -> None:
    spec = DataSpec("wikitext-2", tokenizer="word", vocabulary=50_000)
    tokenised = tokenise(load_corpus(spec), spec)
    assert tokenised.tokenizer.size == 33_278
    assert {part: len(ids) for part, ids in tokenised.ids.items()} == {"train": 2_088_628, "validation": 217_646, "test": 245_569}


@pytest.mark.data
@pytest.mark.skipif(not (data_home() / "tinyshakespeare").is_dir(), reason="no tinyshakespeare under $HEEDFUL_DATA")
def test_tiny_shakespeare_has_the_usual_split() -> None:
    spec = DataSpec("tinyshakespeare")
    tokenised = tokenise(load_corpus(spec), spec)
    assert tokenised.tokenizer.size == 65
    assert {part: len(ids) for part, ids in tokenised.ids.items()} == {"train": 1_003_854, "validation": 111_540, "test": 0}
