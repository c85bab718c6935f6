"""What an item is about and how deep it goes: from its source, the categories it names, and its words; a rule to be read, not a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Final

from heedful.diet.intake.minutes import CHINESE, JAPANESE, WORDS

BRIEF: Final = 1.5  # minutes at the usual pace under which an item is brief
LONG: Final = 8.0  # and from which it is long
OTHER: Final = "other"
TOPICS: Final[dict[str, str]] = {
    "politics": "politic election parliament government senate congress president minister vote policy law court "
    "政治 选举 政府 议会 总统 法院",
    "world": "world war peace border refugee embassy united nations sanction diplomat 国际 战争 外交 联合国 难民",
    "business": "business econom market stock trade bank inflation company earning finance tax invest "
    "经济 市场 股票 银行 通胀 公司 金融 财经",
    "technology": "technolog tech software computer internet programming code linux chip robot ai "
    "技术 科技 软件 电脑 互联网 编程 芯片 人工智能",
    "science": "science scientist research physic biolog chemist space astronom planet climate 科学 研究 物理 生物 太空 气候",
    "health": "health medic disease hospital doctor vaccine cancer diet virus 健康 医学 疾病 医院 疫苗 癌症",
    "culture": "culture art book film movie music theatre museum novel poet history philosoph 文化 艺术 读书 电影 音乐 小说 历史",
    "sport": "sport football soccer tennis olympic match league cup team player goal cricket rugby 体育 足球 篮球 奥运 比赛 球队",
    "life": "life food recipe cook travel home garden family fashion education 生活 美食 旅行 家庭 教育",
}
WORD: Final = re.compile(r"[a-z]+")
LONGEST: Final = 12  # letters of the longest beginning
SHORT: Final = 3  # letters up to which a word must stand whole ("ai", "law")


@cache
def stems() -> tuple[dict[str, str], dict[str, str]]:
    """Topics by the beginnings of parted words (short ones whole, marked by a space), and by words of joined scripts."""
    parted: dict[str, str] = {}
    joined: dict[str, str] = {}
    for name, words in TOPICS.items():
        for word in words.split():
            if word.isascii():
                parted[f"{word} " if len(word) <= SHORT else word] = name
            else:
                joined[word] = name
    return parted, joined


def named(text: str) -> Counter[str]:
    """How many words of a text belong to each topic."""
    parted, joined = stems()
    found: Counter[str] = Counter()
    for word in WORD.findall(text.lower()):
        whole = f"{word} "
        name = next((parted[whole[:size]] for size in range(3, min(len(whole), LONGEST) + 1) if whole[:size] in parted), None)
        if name:
            found[name] += 1
    if not text.isascii():
        for word, name in joined.items():
            found[name] += text.count(word)
    return +found


def topic(given: str, tags: Iterable[str], title: str, text: str) -> str:
    """The topic of the source; else the one that its categories name; else the one whose words it uses most, twice at least.

    >>> topic("", ["Tech"], "", ""), topic("", [], "Parliament votes on the new law", ""), topic("", [], "我爱读书", "")
    ('technology', 'politics', 'culture')
    """
    if given:
        return given
    for tag in tags:
        if found := named(tag):
            return found.most_common(1)[0][0]
    counts = named(f"{title}\n{title}\n{text[:2000]}")
    best = max(TOPICS, key=lambda name: counts[name])
    return best if counts[best] >= 2 else OTHER


def usual(words: int, characters: int, seconds: float | None, language: str) -> float:
    """Minutes at the usual pace, or those of its sound or film.

    >>> usual(476, 0, None, "en"), usual(0, 0, 90.0, "")
    (2.0, 1.5)
    """
    if seconds is not None:
        return seconds / 60
    return words / WORDS + characters / (JAPANESE if language.startswith("ja") else CHINESE)


def depth(minutes: float) -> str:
    """How deep an item of so many minutes goes.

    >>> [depth(minutes) for minutes in (1, 5, 20)]
    ['brief', 'article', 'long']
    """
    return "brief" if minutes < BRIEF else "article" if minutes < LONG else "long"
