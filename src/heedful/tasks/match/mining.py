"""The texts of other classes that are nearest to each text: what is hardest to tell apart (Karpukhin et al. 2020, arXiv 2004.04906)."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.labelled.texts import Texts
from heedful.data.tokens.grams import Grams
from heedful.tasks.match.lexical import TfIdf
from heedful.tasks.match.scoring import numbered

ROWS: Final = 512  # compared with all others at a time


def mined(texts: Texts, names: tuple[str, ...], grams: Grams, most: int) -> Int[Tensor, "n m"]:
    """The places of the `most` nearest texts of other classes by the cosine of tf-idf, the nearest first.

    >>> texts = Texts(("my card", "the card", "my pin"), ("card", "card", "pin"))
    >>> mined(texts, ("card", "pin"), Grams.train(["my card\\nmy pin\\nthe card"], None), 1).tolist()
    [[2], [2], [0]]
    """
    index, classes = TfIdf(texts.texts, grams), numbered(texts.labels, names)
    others = len(texts) - int(np.bincount(classes).max())
    kept = max(1, min(most, others))
    rows = []
    for first in range(0, len(texts), ROWS):
        scores = index.scores(texts.texts[first : first + ROWS])
        scores[classes[first : first + ROWS, None] == classes] = -1.0
        rows.append(np.argsort(-scores, axis=1, kind="stable")[:, :kept])
    return torch.from_numpy(np.concatenate(rows))
