"""Where labelled texts come from: a table, a folder of tables, a named set, or what Python itself carries."""

from __future__ import annotations

import difflib
from pathlib import Path

from heedful.data.files import FORMS as PLAIN
from heedful.data.labelled.folds import fold_of, share_of
from heedful.data.labelled.hub import HUB, from_hub
from heedful.data.labelled.named import SETS, named
from heedful.data.labelled.reference import reference_topics
from heedful.data.labelled.tables import FORMS, UNKNOWN, read_lines, read_texts
from heedful.data.labelled.texts import LabelledCorpus, Texts, cut
from heedful.data.sources import EMBEDDED, PARTS, data_home
from heedful.errors import DataError
from heedful.spec.data import DataSpec


def load_labelled(spec: DataSpec, labelled: bool = True) -> LabelledCorpus:
    """The labelled texts that `spec.source` names, in their parts.

    Files named train, valid and test are taken as the parts, and a named set keeps its official split; a validation
    part (and, where `spec.test` says so, a test part) that is missing is cut from the training texts, class by class. Without
    `labelled` the texts may also be the lines of a plain file, and need no classes.

    >>> load_labelled(DataSpec("python-reference")).name
    'python-reference'

    Raises `DataError`: missing (with what would work), not a table, a class that is not among those of the training texts.
    """
    plain = not labelled and spec.source.endswith(PLAIN)
    found = unlabelled(spec) if plain else opened(spec)
    parts = {"train": Texts(), "validation": Texts(), "test": Texts(), **found.parts}
    if spec.folds:
        found = fold_of(LabelledCorpus(found.name, parts, found.split), spec.folds, spec.fold)
        parts = dict(found.parts)
    said = [found.split]
    for part, share in (("test", spec.test), ("validation", spec.validation)):
        if share and not len(parts[part]):
            parts["train"], parts[part] = cut(parts["train"], share)
            said.append(f"{len(parts[part]):,} of the texts to learn from cut off for {part}")
    if spec.share < 1:
        parts["train"] = share_of(parts["train"], spec.share)
        said.append(f"{spec.share:.0%} of the texts to learn from")
    corpus = LabelledCorpus(found.name, {part: folded_case(texts, spec) for part, texts in parts.items()}, "; ".join(said))
    return known_labels(corpus) if labelled else corpus


def unlabelled(spec: DataSpec) -> LabelledCorpus:
    """The lines of a plain file."""
    path = Path(spec.source).expanduser()
    return LabelledCorpus(spec.source, {"train": read_lines(path, spec.encoding)}, f"{path.name}, a text a line, {UNKNOWN}")


def opened(spec: DataSpec) -> LabelledCorpus:
    """What the source itself holds."""
    path = Path(spec.source).expanduser()
    if spec.source == EMBEDDED:
        return reference_topics()
    if spec.source.startswith(HUB):
        return from_hub(spec)
    if path.is_file():
        return LabelledCorpus(spec.source, {"train": read_texts(path, spec.encoding, spec.text, spec.label)}, f"{path.name}")
    if path.is_dir():
        return from_folder(spec, path)
    if spec.source in SETS:
        return named(spec.source, data_home())
    raise missing(spec.source)


def from_folder(spec: DataSpec, folder: Path) -> LabelledCorpus:
    """A folder's own train, validation and test tables."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().removesuffix(".gz").endswith(FORMS))
    by_part = {part: next((path for path in files if path.name.lower().split(".")[0] in names), None) for part, names in PARTS.items()}
    if by_part["train"] is None:
        raise DataError(f"{folder}: no table named train in it: train.csv (or {', '.join(FORMS[1:])}), with test and validation beside it")
    parts = {part: read_texts(path, spec.encoding, spec.text, spec.label) for part, path in by_part.items() if path is not None}
    return LabelledCorpus(spec.source, parts, "the folder's own files: " + ", ".join(path.name for path in by_part.values() if path))


def folded_case(texts: Texts, spec: DataSpec) -> Texts:
    """The texts, their letters folded if the spec says so."""
    return Texts(tuple(text.lower() for text in texts.texts), texts.labels) if spec.lowercase else texts


def known_labels(corpus: LabelledCorpus) -> LabelledCorpus:
    """The corpus, if there are two classes or more and every part knows only those that are learnt."""
    labels = corpus.labels
    if len(labels) < 2:
        raise DataError(
            f"{corpus.name}: {len(labels)} class to learn ({', '.join(labels)}): two or more are needed; data.label names another column"
        )
    for part in ("validation", "test"):
        strange = sorted(set(corpus.part(part).labels) - set(labels))
        if strange:
            raise DataError(f"{corpus.name}: the {part} part has classes that no text to learn from has: {', '.join(strange[:3])}")
    return corpus


def missing(source: str) -> DataError:
    """The error for a source that is none, with what would work."""
    home = data_home()
    there = sorted(name for name, (folder, _) in SETS.items() if (home / folder).is_dir())
    close = difflib.get_close_matches(source, [*SETS, EMBEDDED], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    under = f"a set under {home} ({', '.join(there) or 'none there; HEEDFUL_DATA names another place'})"
    return DataError(
        f"no labelled texts at {source!r}: {hint}a table ({', '.join(FORMS)}), a folder with train and test tables, {EMBEDDED}, "
        f"{HUB}NAME of the Hugging Face hub, or {under} would work"
    )
