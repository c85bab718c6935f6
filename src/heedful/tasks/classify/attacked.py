"""Accuracy under attack by one who sees the model's gradient: words replaced, or letters of them, within so many edits.

The words that count most are found by the gradient at their embeddings (HotFlip, Ebrahimi et al. 2018, arXiv 1712.06751), or by the
model's own evidence where it is a sum of such. In their places stand frequent words that by themselves speak most against the true class,
and the word itself with a letter changed, dropped, swapped or drawn alike; the model reads each anew, and the change that hurts most
is kept. An attack that fails shows no safety, only that this attacker failed.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

import torch
from torch import Tensor

from heedful.data.labelled.noise import NOISES
from heedful.data.labelled.texts import Texts
from heedful.data.words import places_in
from heedful.tasks.classify.flips import Flips
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.tasks.task import Listing

TRIED: Final = 6  # words of a text that are tried at each edit
LEFT_OUT: Final = 64  # words of a text up to which each is left out in turn


class Attack(NamedTuple):
    """A text as it was left, how many words were changed, and whether the class changed with them."""

    text: str
    edits: int
    broken: bool


def attacked(loaded: LoadedClassifier, texts: Texts, edits: int, most: int) -> Listing:
    """Accuracy of the first `most` texts (evenly drawn) before the attack, by letters, by words, and by both."""
    step = max(1, len(texts) // most)
    part = texts.picked(range(0, len(texts), step)[:most])
    flips = Flips(loaded, part)
    right = [told == label for told, label in zip(flips.told(list(part.texts)), part.labels, strict=True)]
    rows: list[tuple[str | int | float, ...]] = [("none", sum(right) / len(right), "", "")]
    for kind in ("letters", "words", "both"):
        found = [attack(flips, text, label, edits, kind) for text, label, ok in zip(*part_of(part), right, strict=True) if ok]
        broken = [one for one in found if one.broken]
        held = (len(found) - len(broken)) / len(part)
        example = next((one.text for one in broken if len(one.text) < 60), "")
        rows.append((kind, held, f"{sum(one.edits for one in broken) / len(broken):.1f}" if broken else "-", example))
    title = f"accuracy under attack, {edits} words of a text at most, {len(part)} texts"
    return Listing(title, ("changed", "accuracy", "edits", "for example"), tuple(rows))


def part_of(texts: Texts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts and classes."""
    return texts.texts, texts.labels


def attack(flips: Flips, text: str, label: str, edits: int, kind: str) -> Attack:
    """Change one word after the other, each time the change that costs the true class most, until it is lost."""
    true, draw = flips.loaded.model.labels.index(label), random.Random(text)
    touched: set[int] = set()
    for edit in range(1, edits + 1):
        spans = places_in(text)
        order = [place for place in flips.ranked(text, true, spans) if place not in touched][:TRIED]
        tries = [(place, word) for place in order for word in candidates(flips, text, spans[place], true, kind, draw)]
        changed = [text[: spans[place][0]] + word + text[spans[place][1] :] for place, word in tries]
        # One word for one word, so that places mean the same after the change.
        kept = [i for i, one in enumerate(changed) if len(places_in(one)) == len(spans)]
        if not kept:
            return Attack(text, edit - 1, False)
        scores = flips.scores([changed[i] for i in kept])
        worst = int(margin(scores, true).argmin())
        place, text = tries[kept[worst]][0], changed[kept[worst]]
        touched.add(place)
        if float(margin(scores, true)[worst]) < 0:
            return Attack(text, edit, True)
    return Attack(text, edits, False)


def candidates(flips: Flips, text: str, span: tuple[int, int], true: int, kind: str, draw: random.Random) -> list[str]:
    """What may stand in a word's place."""
    word = text[slice(*span)]
    letters = [change(word, draw) for change in NOISES.values()] if word[0].isalnum() and kind != "words" else []
    words = flips.words(word, true) if kind != "letters" else []
    return [one for one in dict.fromkeys([*letters, *words]) if one and one != word]


def margin(logits: Tensor, true: int) -> Tensor:
    """How far the true class is above the best other one."""
    others = logits.clone()
    others[:, true] = -torch.inf
    return logits[:, true] - others.max(1).values
