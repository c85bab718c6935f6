"""What a reader says of an item, in one word, a number, or with a reason."""

from __future__ import annotations

from typing import Final

from heedful.diet.day.gathered import ALIKE
from heedful.diet.day.piece import DAY
from heedful.diet.store.rows import Feedback, FeedbackKind
from heedful.diet.store.store import Store
from heedful.errors import UsageError, unknown

WORDS: Final[dict[str, FeedbackKind]] = {
    "worth": "worth", "not-worth": "not_worth", "later": "later", "less": "less", "more": "more", "save": "saved",
}  # fmt: skip
SAID: Final = {
    "worth": "worth your time", "not_worth": "not worth your time", "later": "put off", "less": "less like this", "more": "more like this",
    "saved": "saved", "opened": "opened", "finished": "read", "revisited": "read again", "rated": "rated",
}  # fmt: skip


def say(store: Store, item: int, word: str, now: float, because: str = "") -> Feedback:
    """Keep a word, or a number from 1 to 5; `because` says of "more" and "less" what of it, as in "topic politics".

    Raises `UsageError` for any other word, a reason that is none, or no such item.
    """
    if word.isdigit():
        if not 1 <= int(word) <= 5:
            raise UsageError(f"{word}: 1 (not worth it) to 5 would work, or one of {', '.join(WORDS)}")
        return kept(store, Feedback(item, "rated", float(word), now))
    if word not in WORDS:
        raise unknown("word on an item", word, (*WORDS, "1 to 5"))
    if because and WORDS[word] not in ("more", "less"):
        raise UsageError(f"--because goes with more and less: {word} is said of the whole item")
    return kept(store, Feedback(item, WORDS[word], 1.0, now, reason(store, item, because)))


def read(store: Store, item: int, now: float, minutes: float = 0.0, finished: bool = True) -> Feedback:
    """Keep that an item was read, and how long that took; to read a finished one again on a later day is worth something of its own."""
    if minutes < 0 or minutes > 1440:
        raise UsageError(f"--minutes is {minutes:g}: 0 (unknown) to 1,440 would work")
    before = [one for one in store.feedback(item) if one.kind in ("finished", "worth", "saved") and one.at < now - DAY / 2]
    if before:
        return kept(store, Feedback(item, "revisited", 1.0, now))
    return kept(store, Feedback(item, "finished" if finished else "opened", minutes, now))


def kept(store: Store, feedback: Feedback) -> Feedback:
    """Keep it."""
    store.add_feedback(feedback)
    return feedback


def reason(store: Store, item: int, because: str) -> str:
    """A facet and its group, as the model will know them; empty for the whole item."""
    if not because:
        return ""
    given, _, label = because.partition(" ")
    facet = given.rstrip(",:")
    if facet not in (*ALIKE, "words"):
        raise unknown("reason", facet, (*ALIKE, "words"))
    known = reasons(store, item)
    label = label.strip() or known.get(facet, "")
    if not label:
        raise UsageError("words of which text? --because 'words bridge river' would work")
    return f"{facet} {label}"


def reasons(store: Store, item: int) -> dict[str, str]:
    """What there is to like or dislike of an item: its groups by facet."""
    from heedful.diet.day.gathered import named
    from heedful.diet.day.piece import UNSTATED

    one = store.item(item)
    source = store.source(one.source)
    names = named([*store.sources(), source] if source.id not in {kept.id for kept in store.sources()} else store.sources())
    found = {"topic": one.topic or "other", "source": names[one.source], "viewpoint": one.viewpoint or UNSTATED}
    return found | {"depth": one.depth or "article"}
