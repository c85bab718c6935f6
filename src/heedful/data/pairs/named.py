"""The sets of pairs that live under $HEEDFUL_DATA, in the layout its README gives, with their official splits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from heedful.data.files import read_text
from heedful.data.labelled.tables import read_rows
from heedful.data.pairs.pairs import PairCorpus, Pairs
from heedful.errors import DataError

Languages = tuple[str, str]
Parts = tuple[dict[str, Pairs], str]
SPOKEN: Final = ("en", "de", "fr", "cs")
TITLES: Final = 20_000  # of the training articles


def multi30k(home: Path, languages: Languages, test: str) -> Parts:
    """Elliott et al. 2016, 2017; Barrault et al. 2018: captions of pictures, a line for a line of another language."""
    for language in languages:
        if language not in SPOKEN:
            raise DataError(f"multi30k has no {language!r}: data.pair of {', '.join(SPOKEN)}, as en-de, would work")
    files = {"train": "train", "validation": "val", "test": test}
    one, other = languages
    parts = {part: parallel(home / f"{name}.{one}.gz", home / f"{name}.{other}.gz") for part, name in files.items()}
    return parts, f"the set's own training, validation and test parts ({test}), {' to '.join(languages)}"


def scan(home: Path, languages: Languages, split: str) -> Parts:
    """Lake & Baroni 2018: commands and the actions they mean."""
    parts: dict[str, Pairs] = {}
    for part in ("train", "test"):
        lines = read_text(home / f"tasks_{part}_{split}.txt.gz").splitlines()
        both = [line.removeprefix("IN: ").partition(" OUT: ") for line in lines]
        parts[part] = Pairs(tuple(one for one, _, _ in both), tuple(other for _, _, other in both))
    return parts, f"the set's own training and test parts ({split})"


def headlines(home: Path, languages: Languages) -> Parts:
    """Baly et al. 2020: the beginnings of news articles and their titles; the first 20,000 of the random split to learn from."""
    articles = {row["ID"]: row for row in read_rows(home / "articles.jsonl.gz", "utf-8")}
    parts: dict[str, Pairs] = {}
    for name, part in (("train.tsv.gz", "train"), ("valid.tsv", "validation"), ("test.tsv", "test")):
        rows = [articles[row["ID"]] for row in read_rows(home / "splits" / "random" / name, "utf-8")]
        kept = [row for row in rows if str(row["title"]).strip() and str(row["excerpt"]).strip()]
        kept = kept[:TITLES] if part == "train" else kept
        parts[part] = Pairs(tuple(str(row["excerpt"]) for row in kept), tuple(str(row["title"]) for row in kept))
    return parts, f"the set's own random split, {len(parts['train']):,} articles to learn from, those without a title or a text left out"


def parallel(one: Path, other: Path, encoding: str = "utf-8") -> Pairs:
    """Two files with as many lines, each a line of the other's."""
    lines = [read_text(path, encoding).removesuffix("\n").split("\n") for path in (one, other)]
    if len(lines[0]) != len(lines[1]):
        raise DataError(f"{one} has {len(lines[0]):,} lines and {other} has {len(lines[1]):,}: each line wants one to go with")
    kept = [(a.strip(), b.strip()) for a, b in zip(*lines, strict=True) if a.strip() and b.strip()]
    return Pairs(tuple(a for a, _ in kept), tuple(b for _, b in kept))


# The name of each, the folder it is in, its usual languages, and how it is read.
SETS: Final[dict[str, tuple[str, Languages, Callable[[Path, Languages], Parts]]]] = {
    "multi30k": ("multi30k", ("en", "de"), lambda home, pair: multi30k(home, pair, "test_2016_flickr")),
    "multi30k-2017": ("multi30k", ("en", "de"), lambda home, pair: multi30k(home, pair, "test_2017_flickr")),
    "multi30k-mscoco": ("multi30k", ("en", "de"), lambda home, pair: multi30k(home, pair, "test_2017_mscoco")),
    "multi30k-2018": ("multi30k", ("en", "de"), lambda home, pair: multi30k(home, pair, "test_2018_flickr")),
    "scan": ("scan", ("words", "actions"), lambda home, pair: scan(home, pair, "simple")),
    "scan-length": ("scan", ("words", "actions"), lambda home, pair: scan(home, pair, "length")),
    "scan-jump": ("scan", ("words", "actions"), lambda home, pair: scan(home, pair, "addprim_jump")),
    "scan-around-right": ("scan", ("words", "actions"), lambda home, pair: scan(home, pair, "template_around_right")),
    "allsides-titles": ("allsides-news", ("article", "title"), headlines),
}


def named(name: str, home: Path, languages: Languages | None) -> PairCorpus:
    """A set of the table, read from the folder of all sets."""
    folder, usual, reader = SETS[name]
    if not (home / folder).is_dir():
        raise DataError(f"{home / folder}: no such folder: the set {name} lives there, and HEEDFUL_DATA names another place")
    try:
        parts, split = reader(home / folder, languages or usual)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DataError(f"{home / folder}: not the layout of {name}: {error!r}") from None
    return PairCorpus(name, parts, split)
