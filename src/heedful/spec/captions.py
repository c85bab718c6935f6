"""Which pictures are described and asked about, and how their texts become tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, positive, require, within
from heedful.spec.data import TokenizerKind


@dataclass(frozen=True)
class CaptionDataSpec:
    """Pictures with texts: scenes that are made of real items and described by a grammar, or somebody's own pictures and captions.

    `source` names items with classes (digits, fashion-mnist, cifar10-jpeg, a folder of pictures by class), of which scenes are made; or a
    csv, tsv, jsonl or parquet table of paths and captions, a folder with such a table called captions, or a folder of pictures each with
    a .txt of its name beside it. `size` is the side of a picture in pixels, `channels` 1 (grey), 3 or 0 (as they are). `image` and `text`
    name the columns of a table.

    Scenes: one to `items` items, their sides `smaller` to `larger` times their own; `scenes` of them to learn from, with `questions`
    questions each; `unseen` is the share of the pairs of different nouns that never stand together in a scene that is learnt from.

    `validation` and `test` are shares of the pictures where a source brings no such parts, and of scenes as many more beside those learnt
    from. `vocabulary` is the most tokens of a word or bpe tokenizer.

    >>> CaptionDataSpec("fashion-mnist", size=64).questions
    2
    """

    source: str = "digits"
    size: int = 32
    channels: int = 0
    items: int = 4
    smaller: float = 0.9
    larger: float = 1.2
    scenes: int = 4000
    questions: int = 2
    unseen: float = 0.1
    validation: float = 0.05
    test: float = 0.05
    tokenizer: TokenizerKind = "word"
    vocabulary: int | None = None
    image: str | None = None
    text: str | None = None
    seed: int = 0
    kind: Literal["captions"] = "captions"

    def __post_init__(self) -> None:
        positive({"size": self.size, "items": self.items, "smaller": self.smaller, "scenes": self.scenes})
        require(self.items <= 4, "items", f"must be 1 to 4, found {self.items}")
        require(self.channels in (0, 1, 3), "channels", f"must be 1 (grey), 3 (colour) or 0 (as the pictures are), found {self.channels}")
        require(self.larger >= self.smaller, "larger", f"must not be below smaller ({self.smaller:g}), found {self.larger:g}")
        require(self.questions >= 0, "questions", f"must not be negative, found {self.questions}")
        within({"unseen": self.unseen, "validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on pictures it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the pictures together")
        one_of("tokenizer", self.tokenizer, get_args(TokenizerKind))
        require(self.vocabulary is None or self.vocabulary > 2, "vocabulary", f"must be above 2, found {self.vocabulary}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")
