"""Histories, each explained for the item that is recommended first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, final

from heedful.errors import UsageError
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.histories import of_history
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.loading import load_ranker

LEAST: Final = 4  # items of a history: with fewer there is little to tell apart


@final
class OfHistories:
    """What users had before the interactions of a part."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th history of four items or more, all of them known; its latest `longest` items."""
        loaded = load_ranker(run)
        split = part_of(asking)
        found = loaded.sequences(asking.data)
        starts = found.starts[:-1][found.owner]
        spans = [(int(starts[place]), int(place)) for place in found.targets(split)]
        most = asking.longest or loaded.model.context
        able = [(max(first, end - most), end) for first, end in spans if end - first >= LEAST]
        able = [(first, end) for first, end in able if bool((found.item[first:end] < loaded.tokenizer.size).all())]
        if not able:
            raise UsageError(f"--split {split}: no history of {LEAST} known items stands there; another part would work")
        chosen = [able[i] for i in evenly(len(able), asking.limit)]
        subjects = (
            of_history(
                Recommended(
                    loaded, json.dumps({"history": [found.names[i] for i in found.item[a:b]], "times": [int(t) for t in found.time[a:b]]})
                )
            )
            for a, b in chosen
        )
        return Sample(loaded.model, subjects, len(chosen), f"{loaded.data.source} ({split})")
