"""Texts without classes, from which words are learnt before the classes are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from heedful.data.files import FORMS as PLAIN
from heedful.data.labelled.named import SETS
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.tables import read_rows
from heedful.data.sources import data_home, load_corpus
from heedful.data.vectors import Vectors, word_vectors
from heedful.errors import DataError
from heedful.spec.data import DataSpec

TWEETS = "stocknet"


LEARNT = "2015-08-01"  # where the standard protocol's training days end


def texts_of(source: str, spec: DataSpec) -> tuple[str, ...]:
    """The training texts of a source; what a named set keeps for judging is not read.

    Errors: those of the source.
    """
    if source == TWEETS:
        return tweets(data_home() / TWEETS)
    asked = DataSpec(source, encoding=spec.encoding, lowercase=spec.lowercase)
    if source in SETS or (Path(source).exists() and not source.endswith(PLAIN)):
        return load_labelled(asked, labelled=False).part("train").texts
    text = load_corpus(asked).train
    return tuple((text.lower() if spec.lowercase else text).split("\n"))


def tweets(home: Path) -> tuple[str, ...]:
    """Xu & Cohen 2018: what was written of stocks on the days to learn from."""
    file = home / "tweets.jsonl.gz"
    if not file.is_file():
        raise DataError(f"{file}: no such file: the set {TWEETS} lives there, and HEEDFUL_DATA names another place")
    return tuple(" ".join(row["text"]) for row in read_rows(file, "utf-8") if str(row["date"]) < LEARNT)


@lru_cache(maxsize=2)
def vectors_of(sources: tuple[str, ...], encoding: str, lowercase: bool, dim: int) -> Vectors:
    """Vectors of the words of all these sources, learnt once a process."""
    spec = DataSpec(encoding=encoding, lowercase=lowercase)
    return word_vectors((text for source in sources for text in texts_of(source, spec)), dim)
