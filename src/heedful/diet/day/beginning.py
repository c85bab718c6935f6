"""A cold start in two minutes: sources, five sliders, ten items rated."""

from __future__ import annotations

from collections import Counter
from typing import Final

from heedful.diet.day.gathered import gathered
from heedful.diet.day.today import WISHES
from heedful.diet.day.wishes import Wishes
from heedful.diet.store.rows import Head, Item, Source, Which
from heedful.diet.store.store import Store

TEN: Final = 10
STARTER: Final = (
    Source(address="https://feeds.bbci.co.uk/news/world/rss.xml", title="BBC News: World", topic="world"),
    Source(address="https://www.theguardian.com/world/rss", title="The Guardian: World", topic="world"),
    Source(address="https://rss.dw.com/xml/rss-en-all", title="Deutsche Welle", topic="world"),
    Source(address="https://www.aljazeera.com/xml/rss/all.xml", title="Al Jazeera", topic="world"),
    Source(address="https://feeds.arstechnica.com/arstechnica/index", title="Ars Technica", topic="technology"),
    Source(address="https://hnrss.org/frontpage", title="Hacker News: front page", topic="technology"),
    Source(address="https://www.quantamagazine.org/feed/", title="Quanta Magazine", topic="science"),
    Source(address="https://www.nasa.gov/feed/", title="NASA", topic="science"),
    Source(address="https://www.nature.com/nature.rss", title="Nature", topic="science"),
    Source(address="https://aeon.co/feed.rss", title="Aeon", topic="ideas"),
    Source(address="https://www.openculture.com/feed", title="Open Culture", topic="culture"),
    Source(address="https://xkcd.com/rss.xml", title="xkcd", topic="culture"),
)


def begin(store: Store, sources: list[Source], wishes: Wishes) -> list[Source]:
    """Follow the sources and keep the settings; the sources as they are kept."""
    store.set_setting(WISHES, wishes.record())
    return [store.add_source(source) for source in sources]


def ten(store: Store, wishes: Wishes, now: float, most: int = TEN) -> list[Item]:
    """Items to rate first: of every topic and source as few as can be, so that each rating says the most; the newest of each."""
    found = gathered(store, wishes, now)
    said = {one.item for one in store.feedback()}
    left = sorted((item for item in found.items if item.id not in said), key=lambda item: (-item.published, item.id))
    count: Counter[str] = Counter()
    chosen: list[Head] = []
    while left and len(chosen) < most:
        best = min(left, key=lambda item: (count[f"story {item.story}"], count[f"topic {item.topic}"], count[f"source {item.source}"]))
        chosen.append(best)
        left.remove(best)
        count.update((f"story {best.story}", f"topic {best.topic}", f"source {best.source}"))
    return store.items(Which(ids=[head.id for head in chosen]))
