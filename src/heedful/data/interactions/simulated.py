"""A small log of simulated readers, so that everything runs without a file. It is made up: no figure of it is one about people."""

from __future__ import annotations

from typing import Final

import numpy as np

from heedful.data.interactions.log import Described, Log, words

TOPICS: Final = {
    "cooking": "bread soup spice oven garden market recipe kitchen",
    "cycling": "wheel climb valley brake saddle race ride chain",
    "astronomy": "comet orbit telescope moon probe galaxy dust launch",
    "music": "choir cello festival record drum song tour stage",
    "chess": "opening gambit endgame clock champion board rook draw",
    "history": "archive castle letter empire map coin treaty ruin",
    "medicine": "vaccine trial nurse sleep heart clinic cell dose",
    "economics": "price tax bank trade wage export budget loan",
}
ARTICLES, READERS, DAYS, DAY = 400, 300, 60, 86_400
EPOCH: Final = 1_767_225_600  # 2026-01-01
SERIES: Final = 4  # articles that continue one another


def simulated_reader(seed: int = 7) -> Log:
    """300 readers over 60 days and 400 articles in series of four: interests that drift, series that are read on, news that ages.

    >>> log = simulated_reader()
    >>> len(log.users), len(log.items), len(log) > 5_000
    (300, 400, True)
    """
    rng = np.random.default_rng(seed)
    topic = np.repeat(rng.integers(len(TOPICS), size=ARTICLES // SERIES), SERIES)
    born = np.sort(rng.integers(-30, DAYS - 8, size=ARTICLES // SERIES)).repeat(SERIES) + np.tile(np.arange(SERIES), ARTICLES // SERIES)
    rows: list[tuple[str, str, float | None, float | None]] = []
    for reader in range(READERS):
        rows += readings(reader, topic, born, rng)
    rows.sort(key=lambda row: (row[2], row[0]))
    log = Log.of("simulated-reader", rows)
    return Log(log.name, log.users, log.items, log.user, log.item, log.time, log.values, True, articles(topic, rng))


def readings(
    reader: int, topic: np.ndarray, born: np.ndarray, rng: np.random.Generator
) -> list[tuple[str, str, float | None, float | None]]:
    """What one reader read when, and for how many seconds."""
    taste = rng.dirichlet(np.full(len(TOPICS), 0.3))
    read: list[int] = []
    rows: list[tuple[str, str, float | None, float | None]] = []
    for day in np.sort(rng.choice(DAYS, size=rng.integers(10, 25), replace=False)):
        taste = 0.97 * taste + 0.03 * rng.dirichlet(np.full(len(TOPICS), 0.3))
        for sitting in range(rng.integers(1, 4)):
            age = day - born
            appeal = taste[topic] * np.exp(-np.clip(age, 0, None) / 20.0) * (age >= 0)
            following = [i + 1 for i in read[-3:] if (i + 1) % SERIES and age[min(i + 1, ARTICLES - 1)] >= 0]
            appeal[following] += 0.4 * appeal.sum()
            appeal[read] = 0.0
            if appeal.sum() <= 0:
                continue
            item = int(rng.choice(ARTICLES, p=appeal / appeal.sum()))
            read.append(item)
            when = EPOCH + int(day) * DAY + 7 * 3600 + sitting * 900 + int(rng.integers(600))
            rows.append((f"reader-{reader:03d}", f"a{item:03d}", float(when), float(np.round(rng.gamma(3.0, 40.0), 1))))
    return rows


def articles(topic: np.ndarray, rng: np.random.Generator) -> dict[str, Described]:
    """Titles of words of the topic; the topic and a source as attributes."""
    names = list(TOPICS)
    about: dict[str, Described] = {}
    for series in range(ARTICLES // SERIES):
        name = names[topic[series * SERIES]]
        chosen = rng.choice(TOPICS[name].split(), size=3, replace=False)
        source = f"source={'ABCDEFGH'[rng.integers(8)]}"
        for part in range(SERIES):
            title = f"{' '.join(chosen).capitalize()}, part {part + 1}"
            about[f"a{series * SERIES + part:03d}"] = Described(title, (f"topic={name}", source, *words(title)))
    return about
