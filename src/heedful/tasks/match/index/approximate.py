"""The nearest entries of a large index without looking at each: a graph of neighbours (HNSW: Malkov & Yashunin 2016, arXiv 1603.09320)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from heedful.errors import MissingExtra
from heedful.tasks.match.index.lock import locked
from heedful.tasks.match.index.store import Entries

LARGE: Final = 100_000  # entries up to which all are looked at


@dataclass(frozen=True)
class Approximate:
    """A graph over the entries' vectors; usearch's."""

    graph: Any

    def nearest(self, vectors: Float[np.ndarray, "n d"], most: int) -> Int[np.ndarray, "n k"]:
        """The places of the entries nearest to each vector, the nearest first; hardly ever misses one."""
        found = self.graph.search(vectors, most)
        places: Int[np.ndarray, "n k"] = np.asarray(found.keys, dtype=np.int64).reshape(len(vectors), -1)
        return places


def approximate(folder: Path, entries: Entries) -> Approximate:
    """The graph of the index in a folder, built and kept beside it where it is missing; that of an earlier state of the index is removed.

    Errors: `MissingExtra` without usearch.
    """
    try:
        from usearch.index import Index
    except ImportError:
        raise MissingExtra("usearch", "match", "searching a large index by its neighbours") from None
    path = folder / f"near-{entries.generation}.usearch"
    with locked(folder):
        if not path.is_file():
            graph = Index(ndim=entries.vectors.shape[1], metric="ip", dtype="f32")
            graph.add(np.arange(len(entries), dtype=np.uint64), entries.vectors)
            part = path.with_suffix(".part")
            graph.save(str(part))
            os.replace(part, path)
        for other in folder.glob("near-*"):
            if other != path:
                other.unlink(missing_ok=True)
        return Approximate(Index.restore(str(path)))
