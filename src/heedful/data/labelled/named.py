"""The sets that live under $HEEDFUL_DATA, in the layout its README gives, with their official splits where they have one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heedful.data.files import read_text
from heedful.data.labelled.tables import read_rows, read_texts
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.data.labelled.toxic_spans import toxic_spans
from heedful.errors import DataError

Parts = tuple[dict[str, Texts], str]
FOLDS = 10
OFFICIAL = "the set's own training and test parts"
FOLD = f"no official split: every {FOLDS}th text of each class to test"
SENTIMENT = ("negative", "positive")


def imdb(home: Path) -> Parts:
    """Maas et al. 2011: 25,000 reviews to learn from, 25,000 to test; a break in the markup becomes one in the text."""
    parts: dict[str, Texts] = {}
    for part in ("train", "test"):
        rows = read_rows(home / f"{part}.jsonl.gz", "utf-8")
        texts = tuple(str(row["text"]).replace("<br />", "\n") for row in rows)
        parts[part] = Texts(texts, tuple(SENTIMENT[int(row["label"])] for row in rows))
    return parts, OFFICIAL


def trec(home: Path, fine: bool = False) -> Parts:
    """Li & Roth 2002: questions of 6 coarse or 50 fine types."""
    return {part: questions(home / f"TREC.{part}", fine) for part in ("train", "test")}, OFFICIAL


def questions(path: Path, fine: bool) -> Texts:
    """One `COARSE:fine words` a line."""
    lines = [line.partition(" ") for line in read_text(path, "latin-1").split("\n") if line.strip()]
    return Texts(tuple(words for _, _, words in lines), tuple(kind if fine else kind.partition(":")[0] for kind, _, _ in lines))


def rotten_tomatoes(home: Path) -> Parts:
    """Pang & Lee 2005: sentences, 5,331 of each sentiment."""
    both = [[line for line in read_text(home / f"rt-polarity.{end}", "latin-1").split("\n") if line.strip()] for end in ("neg", "pos")]
    labels = tuple(name for name, lines in zip(SENTIMENT, both, strict=True) for _ in lines)
    return folded(Texts(tuple(line.strip() for lines in both for line in lines), labels))


def phrasebank(home: Path, agreed: str = "50Agree") -> Parts:
    """Malo et al. 2014: sentences of financial news by sentiment, those on which so many annotators agreed."""
    body = read_text(home / f"Sentences_{agreed}.txt", "utf-8" if agreed == "50Agree" else "latin-1")
    lines = [line.rpartition("@") for line in body.split("\n") if line.strip()]
    return folded(Texts(tuple(text for text, _, _ in lines), tuple(label.strip() for _, _, label in lines)))


def banking77(home: Path) -> Parts:
    """Casanueva et al. 2020: questions to a bank, 77 intents."""
    return {part: read_texts(home / f"{part}.csv", "utf-8", "text", "category") for part in ("train", "test")}, OFFICIAL


def clinc150(home: Path, outside: bool = False) -> Parts:
    """Larson et al. 2019, data_full: 150 intents; `outside` adds what is none of them as one more class."""
    whole: Mapping[str, Any] = json.loads(read_text(home / "data_full.json.gz"))
    names = {"train": "train", "val": "validation", "test": "test"}
    rows = {part: [*whole[key], *(whole[f"oos_{key}"] if outside else ())] for key, part in names.items()}
    parts = {part: Texts(tuple(text for text, _ in pairs), tuple(label for _, label in pairs)) for part, pairs in rows.items()}
    return parts, "the set's own training, validation and test parts"


def allsides(home: Path, split: str = "random", told: str = "bias_text") -> Parts:
    """Baly et al. 2020: the political bias of news (or the `topic`), by title and excerpt; in the media split the sources are new ones."""
    articles = {row["ID"]: row for row in read_rows(home / "articles.jsonl.gz", "utf-8")}
    parts: dict[str, Texts] = {}
    for name, part in (("train.tsv.gz", "train"), ("valid.tsv", "validation"), ("test.tsv", "test")):
        rows = [articles[row["ID"]] for row in read_rows(home / "splits" / split / name, "utf-8")]
        texts = tuple(f"{row['title']}\n{row['excerpt']}" for row in rows)
        parts[part] = Texts(texts, tuple(str(row[told]) for row in rows))
    return parts, f"the set's own {split} split"


def folded(texts: Texts) -> Parts:
    """Every tenth text of each class to test, the others to learn from."""
    seen: dict[str, int] = {}
    places: dict[str, list[int]] = {"train": [], "test": []}
    for i, label in enumerate(texts.labels):
        seen[label] = seen.get(label, -1) + 1
        places["test" if seen[label] % FOLDS == 0 else "train"].append(i)
    return {part: texts.picked(mine) for part, mine in places.items()}, FOLD


# The name of each, the folder it is in, and how it is read.
SETS: dict[str, tuple[str, Callable[[Path], Parts]]] = {
    "imdb": ("imdb", imdb),
    "trec": ("trec", trec),
    "trec-fine": ("trec", lambda home: trec(home, fine=True)),
    "rotten-tomatoes": ("rotten-tomatoes", rotten_tomatoes),
    "financial-phrasebank": ("financial-phrasebank", phrasebank),
    "financial-phrasebank-all": ("financial-phrasebank", lambda home: phrasebank(home, "AllAgree")),
    "banking77": ("banking77", banking77),
    "clinc150": ("clinc150", clinc150),
    "clinc150-oos": ("clinc150", lambda home: clinc150(home, outside=True)),
    "allsides-news": ("allsides-news", allsides),
    "allsides-media": ("allsides-news", lambda home: allsides(home, "media")),
    "toxic-spans": ("toxic-spans", toxic_spans),
    "allsides-topics": ("allsides-news", lambda home: allsides(home, told="topic")),
}


def named(name: str, home: Path) -> LabelledCorpus:
    """A set of the table, read from the folder of all sets."""
    folder, reader = SETS[name]
    if not (home / folder).is_dir():
        raise DataError(f"{home / folder}: no such folder: the set {name} lives there, and HEEDFUL_DATA names another place")
    try:
        parts, split = reader(home / folder)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DataError(f"{home / folder}: not the layout of {name}: {error!r}") from None
    return LabelledCorpus(name, {"validation": Texts(), **parts}, split)
