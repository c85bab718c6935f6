"""The tour's second half: one dial over both, and a simulated reader who is better off than by the newest first."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from heedful.diet.tour.section import SHARES, model, section
from heedful.diet.tour.simulated import MINUTES, day
from heedful.explanations.markup import join
from heedful.explanations.page import page


def frontier(folder: Path) -> Path:
    """What the tour's model left, in a small form."""
    points = [{"policy": "planned", "budget": share, "loss": 0.01 / share, "choices": [0, 1, 1, 0]} for share in SHARES[1:]]
    found = {"resource": "operations", "options": ["full", "<sinks>"], "sites": [{"name": "a", "heads": 2}] * 2, "points": points}
    (folder / "fitted").mkdir()
    (folder / "fitted" / "frontier.json").write_text(json.dumps(found))
    return folder


def test_both_halves_stand_at_every_stop(tmp_path: Path) -> None:
    whole = page("A tour", "", [section(frontier(tmp_path))])
    assert len(re.findall(r'data-stop="\d"', whole)) == len(SHARES)
    assert whole.count("<h3>The model&#x27;s heads</h3>") == whole.count("<h3>The reader&#x27;s minutes</h3>") == len(SHARES)
    assert "layer 2, head 2: &lt;sinks&gt;" not in whole  # that head keeps all of its attention
    assert "layer 2, head 1: &lt;sinks&gt;" in whole
    assert "simulated" in whole


def test_an_option_looks_the_same_at_every_stop(tmp_path: Path) -> None:
    names = ["full", *(f"option{i}" for i in range(8))]
    points = [
        {"policy": "planned", "budget": share, "loss": 0.0, "choices": [3 * i, 3 * i + 1, 3 * i + 2]} for i, share in enumerate(SHARES[1:])
    ]
    found = {"resource": "operations", "options": names, "sites": [{"name": "a", "heads": 3}], "points": points}
    looks: dict[str, set[str]] = {}
    for share in SHARES:
        html = str(join(*model(found, share)))
        for look, name in re.findall(r'class="(given[^"]*)"[^>]*></i>(\w+): \d', html) + re.findall(
            r'class="(given[^"]*)"[^>]*head \d: (\w+)"', html
        ):
            looks.setdefault(name, set()).add(look)
    assert looks.keys() == set(names)
    assert len(set.union(*looks.values())) == len(names)  # one look each, and no two alike


def test_a_simulated_reader_is_better_off_than_by_the_newest_first() -> None:
    gains = []
    for seed in range(6):
        found = day(seed)
        edition = replace(found.morning, minutes=MINUTES / 2).edition
        assert edition.minutes <= MINUTES / 2 + 1e-6
        gains.append(found.worth(edition.keys) - found.worth(found.newest(MINUTES / 2)))
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / len(gains) ** 0.5
