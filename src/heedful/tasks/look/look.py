"""Sentences through every mechanism of the catalogue.

The first article's example, §4.3, through every score (random vectors: only the forms are the example's):

>>> seen = look(["I love to read books."], RandomVectors(seed=0), seed=0)
>>> pair = seen.pairs[0]
>>> print(*pair.queries)
I love to read books .
>>> for row in pair.rows:
...     if row.family == "score":
...         print(row.name, tuple(row.weights.shape), tuple(row.out.shape), bool(torch.allclose(row.weights.sum(-1), torch.ones(4, 6))))
dot (4, 6, 6) (6, 64) True
scaled_dot (4, 6, 6) (6, 64) True
cosine (4, 6, 6) (6, 64) True
general (4, 6, 6) (6, 64) True
additive (4, 6, 6) (6, 64) True
concat (4, 6, 6) (6, 64) True
biased (4, 6, 6) (6, 64) True
query_biased (4, 6, 6) (6, 64) True
content_biased (4, 6, 6) (6, 64) True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch

from heedful.errors import UsageError
from heedful.tasks.look.families import reading, rows
from heedful.tasks.look.row import Look, Pair
from heedful.tasks.look.vectors import RandomVectors as RandomVectors
from heedful.tasks.look.vectors import Vectors

MOST: Final = 4  # sentences
TITLE: Final = 40  # characters of a sentence in a title


def look(sentences: Sequence[str], vectors: Vectors, seed: int) -> Look:
    """Each sentence reading itself, and the first reading each of the others."""
    if not 1 <= len(sentences) <= MOST:
        raise UsageError(f"look takes 1 to {MOST} sentences: found {len(sentences)}; heedful look 'I love to read books.' would work")
    with torch.no_grad():
        alone = [pair(sentence, sentence, vectors, seed) for sentence in sentences]
        across = [pair(sentences[0], other, vectors, seed) for other in sentences[1:]]
    return Look(sentences, vectors.origin, [*alone, *across])


def pair(asking: str, read: str, vectors: Vectors, seed: int) -> Pair:
    """One sentence reading itself or another."""
    x, context = vectors.stream(asking), vectors.stream(read)
    of = reading(vectors.project(x, context), seed, alone=asking == read)
    title = f"“{short(asking)}” reads itself" if of.alone else f"“{short(asking)}” reads “{short(read)}”"
    return Pair(title, vectors.tokens(asking), vectors.tokens(read), list(rows(of, x)))


def short(sentence: str) -> str:
    """The beginning of a long sentence.

    >>> short("We hold these truths to be self-evident, that all men")
    'We hold these truths to be self-evident,…'
    """
    return sentence if len(sentence) <= TITLE else sentence[:TITLE].rstrip() + "…"
