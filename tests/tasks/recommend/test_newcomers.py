"""New items are scored by their content, as long and as high as validation likes best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from heedful.data.interactions.log import Log
from heedful.data.interactions.sequences import sequences
from heedful.errors import CheckpointError
from heedful.models.ranker.items import Catalogue
from heedful.spec.interactions import LogDataSpec
from heedful.tasks.recommend.evaluation import Part
from heedful.tasks.recommend.newcomers import LEAST, Newcomers, chosen_on


def part(known: int) -> Part:
    log = [
        (f"u{user}", f"i{item:02d}", float(time), None)
        for user in range(30)
        for time, item in enumerate((user % 5, 5 + user % 15, 19 - user % 15))
    ]
    found = sequences(Log.of("made", log), LogDataSpec(split="leave-one-out", ties="file"))
    found = found.coded([f"i{i:02d}" for i in range(known)])
    return Part(found, found.targets("validation"), False)


def test_the_best_of_all_is_chosen_and_the_mildest_of_equals() -> None:
    here = part(known=8)
    catalogue = Catalogue(torch.ones(20, 2), torch.zeros(20))
    asked: list[tuple[float, float]] = []

    def ndcg(few: Part, welcomed: Catalogue) -> float:
        assert (welcomed.vectors[:8] == 1).all()
        assert (welcomed.bias[:8] == 0).all()
        one = float(welcomed.vectors[-1, 0]), float(welcomed.bias[-1])
        asked.append(one)
        return 0.5 if one[0] >= 2 and one[1] >= 0.5 else 0.1

    found = chosen_on(here, catalogue, ndcg)
    assert (found.scale, found.raised) == (2.0, 0.5)
    assert (found.before, found.after) == (0.1, 0.5)
    assert found.targets == len(here.places)
    assert found.new == int((here.found.item[here.places] >= 8).sum()) >= LEAST
    assert len(set(asked)) == len(asked) == 16
    assert "2 times, raised by 0.5 nats" in found.line


def test_where_hardly_anything_is_new_nothing_is_done() -> None:
    found = chosen_on(part(known=19), Catalogue(torch.ones(20, 2), torch.zeros(20)), lambda *_: pytest.fail("nothing is to be tried"))
    assert found == Newcomers()
    assert "as it is" in found.line


def test_it_is_kept_with_the_run(tmp_path: Path) -> None:
    assert Newcomers.of(tmp_path) == Newcomers()
    one = replace(Newcomers(), scale=3.0, raised=1.0, targets=50, new=25, before=0.1, after=0.2)
    one.save(tmp_path)
    assert Newcomers.of(tmp_path) == one
    (tmp_path / "newcomers.json").write_text("{half")
    with pytest.raises(CheckpointError, match=r"newcomers\.json"):
        Newcomers.of(tmp_path)


def test_known_items_keep_their_scores() -> None:
    vectors = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    catalogue = Catalogue(vectors, torch.arange(6.0))
    found = Newcomers(scale=4.0, raised=2.0).welcomed(catalogue, known=5)
    assert torch.equal(found.vectors[:5], vectors[:5])
    assert torch.equal(found.vectors[5], 4 * vectors[5])
    assert found.bias.tolist() == [0, 1, 2, 3, 4, 7]
    assert np.isfinite(found.vectors.numpy()).all()
