"""Folders as they are distributed: MovieLens, S3-Rec, Open Bandit, and tables named interactions, items and users."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from heedful.data.files import read_text
from heedful.data.interactions.log import Described, Log, words
from heedful.data.interactions.tables import moment, read_described, read_log
from heedful.data.labelled.tables import FORMS, read_rows
from heedful.errors import DataError
from heedful.spec.interactions import LogDataSpec

LOGS: Final = ("interactions", "ratings", "events", "log")
GENRES: Final = 19  # columns of MovieLens-100K's u.item


def read_folder(folder: Path, spec: LogDataSpec) -> Log:
    """The log in a folder, by its layout; `DataError` says the layouts where it is none of them."""
    for layout in (movielens, movielens_dat, movielens_100k, s3rec, open_bandit, own):
        try:
            found = layout(folder, spec)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise DataError(f"{folder}: not the layout of {layout.__name__}: {error!r}") from None
        if found is not None:
            return replace(found, name=spec.source)
    raise DataError(
        f"{folder}: no log in it: ratings.csv with movies.csv (MovieLens), a .txt of sequences (S3-Rec), CAMPAIGN/CAMPAIGN.csv "
        f"(Open Bandit), or interactions.csv with items.csv and users.csv would work"
    )


def present(folder: Path, *names: str) -> Path | None:
    """The first of these files that is there, packed or not."""
    return next((path for name in names for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def movielens(folder: Path, spec: LogDataSpec) -> Log | None:
    """ratings.csv and movies.csv (MovieLens latest, 10M to 32M; Harper & Konstan 2015)."""
    ratings, movies = present(folder, "ratings.csv"), present(folder, "movies.csv")
    if ratings is None or movies is None:
        return None
    return replace(read_log(ratings, spec), about_items=read_described(movies, "utf-8", "item"))


def movielens_dat(folder: Path, spec: LogDataSpec) -> Log | None:
    """ratings.dat, movies.dat and users.dat, fields parted by :: (MovieLens-1M)."""
    ratings = present(folder, "ratings.dat")
    if ratings is None:
        return None
    rows = [line.split("::") for line in lines(ratings, "latin-1")]
    log = Log.of("", [(user, item, float(time), float(rating)) for user, item, rating, time in rows])
    movies, users = present(folder, "movies.dat"), present(folder, "users.dat")
    films = [line.split("::") for line in lines(movies, "latin-1")] if movies else []
    people = [line.split("::") for line in lines(users, "latin-1")] if users else []
    about = {item: film(title, genres.split("|")) for item, title, genres in films}
    traits = {user: Described("", (f"gender={sex}", f"age={age}", f"work={work}")) for user, sex, age, work, _ in people}
    return replace(log, about_items=about, about_users=traits)


def movielens_100k(folder: Path, spec: LogDataSpec) -> Log | None:
    """u.data, u.item and u.user (MovieLens-100K)."""
    data = present(folder, "u.data")
    if data is None:
        return None
    rows = [line.split("\t") for line in lines(data, "latin-1")]
    log = Log.of("", [(user, item, float(time), float(rating)) for user, item, rating, time in rows])
    films = [line.split("|") for line in lines(folder / "u.item", "latin-1")] if (folder / "u.item").is_file() else []
    people = [line.split("|") for line in lines(folder / "u.user", "latin-1")] if (folder / "u.user").is_file() else []
    about = {row[0]: film(row[1], [str(i) for i, flag in enumerate(row[-GENRES:]) if flag == "1"]) for row in films}
    traits = {row[0]: Described("", (f"age={int(row[1]) // 10 * 10}", f"gender={row[2]}", f"work={row[3]}")) for row in people}
    return replace(log, about_items=about, about_users=traits)


def film(title: str, genres: Iterable[str]) -> Described:
    """A film by its title and genres."""
    return Described(title, tuple(dict.fromkeys([*(f"genres={genre}" for genre in genres), *words(title)])))


def s3rec(folder: Path, spec: LogDataSpec) -> Log | None:
    """NAME.txt of a user and its items in order of time a line, and NAME_item2attributes.json (Zhou et al. 2020, CIKM)."""
    told = sorted(folder.glob("*_item2attributes.json*"))
    if not told:
        return None
    stem = told[0].name.split("_item2attributes")[0]
    sequences = present(folder, f"{stem}.txt")
    if sequences is None:
        raise DataError(f"{folder}: {told[0].name} and no {stem}.txt (or {stem}.txt.gz) beside it")
    rows = [(user, item, None, None) for user, *items in map(str.split, lines(sequences, spec.encoding)) for item in items]
    attributes = json.loads(read_text(told[0], spec.encoding))
    about = {str(item): Described("", tuple(f"attribute={one}" for one in having)) for item, having in attributes.items()}
    return replace(Log.of("", rows), about_items=about)


def open_bandit(folder: Path, spec: LogDataSpec) -> Log | None:
    """CAMPAIGN.csv with its item_context.csv (Saito et al. 2021, arXiv 2008.07146): clicks; a user is a cohort of four features.

    Impressions without a click are no interactions, and positions and propensities are not read.
    """
    context, impressions = present(folder, "item_context.csv"), present(folder, f"{folder.name}.csv")
    if context is None or impressions is None:
        return None
    rows = []
    for number, row in enumerate(read_rows(impressions, spec.encoding), start=1):
        if float(row["click"]):
            cohort = "/".join(str(row[f"user_feature_{i}"])[:6] for i in range(4))
            rows.append((cohort, str(row["item_id"]), moment(f"{impressions} row {number}", str(row["timestamp"])), 1.0))
    about = {}
    for row in read_rows(context, spec.encoding):
        about[str(row["item_id"])] = Described(
            "", tuple(f"{key}={row[key]}" for key in row if key.startswith("item_feature_") and key[-1] != "0")
        )
    return replace(Log.of("", rows), about_items=about)


def own(folder: Path, spec: LogDataSpec) -> Log | None:
    """A table named interactions, with items and users beside it."""
    log = table(folder, LOGS)
    if log is None:
        return None
    items, users = table(folder, ("items",)), table(folder, ("users",))
    return replace(
        read_log(log, spec),
        about_items=read_described(items, spec.encoding, "item") if items else {},
        about_users=read_described(users, spec.encoding, "user") if users else {},
    )


def table(folder: Path, names: Iterable[str]) -> Path | None:
    """The first table of one of these names."""
    return present(folder, *(f"{name}{form}" for name in names for form in FORMS))


def lines(path: Path, encoding: str) -> list[str]:
    """The lines of a file that hold something."""
    return [line for line in read_text(path, encoding).split("\n") if line.strip()]
