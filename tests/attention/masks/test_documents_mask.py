from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.errors import ShapeError, UsageError
from heedful.masks import Causal, Documents, Not

IDS = torch.tensor([[0, 0, 1, 1], [5, 3, 3, 5]])


def test_a_document_sees_itself() -> None:
    dense = Documents(IDS).dense(4, 4)
    assert dense.shape == (2, 1, 4, 4)
    assert torch.equal(dense[0, 0], table("■■□□ ■■□□ □□■■ □□■■"))
    assert torch.equal(dense[1, 0], table("■□□■ □■■□ □■■□ ■□□■"))


def test_fewer_queries_are_the_last_of_the_ids() -> None:
    assert torch.equal(Documents(IDS).dense(2, 4), Documents(IDS).dense(4, 4)[:, :, 2:])


def test_packed_and_causal() -> None:
    assert torch.equal((Documents(IDS) & Causal()).dense(4, 4)[0, 0], table("■□□□ ■■□□ □□■□ □□■■"))


@pytest.mark.parametrize(("q", "k"), [(4, 5), (4, 3), (5, 4)])
def test_other_lengths_are_refused(q: int, k: int) -> None:
    for mask in (Documents(IDS), Causal() & Documents(IDS), Not(Documents(IDS)), Documents(IDS).at(torch.arange(q), torch.arange(k), k)):
        for ask in (mask.dense, mask.density, mask.draw, mask.mask_mod):
            with pytest.raises(ShapeError, match=r"of 4 (keys|positions): found 5|of 4 keys: found 3"):
                ask(q, k)


def test_ids_that_are_none_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"axes \(b, n\): found the shape \(4,\)"):
        Documents(IDS[0])
    with pytest.raises(UsageError, match="whole numbers: found float32"):
        Documents(IDS.float())


def test_numbers_in_lists_do() -> None:
    assert torch.equal(Documents([[0, 0, 1, 1], [5, 3, 3, 5]]).dense(4, 4), Documents(IDS).dense(4, 4))
