from __future__ import annotations

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.masks import Causal, Dense, as_mask

SHAPES = [(), (5,), (4, 5), (1, 5), (4, 1), (3, 4, 5), (2, 1, 4, 5), (2, 3, 4, 5), (2, 1, 1, 5), (1, 3, 4, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_table_broadcasts_as_torch_does(shape: tuple[int, ...]) -> None:
    tensor = torch.rand(shape) > 0.5
    expected = tensor.expand(2, 3, 4, 5)
    mask = Dense(tensor)
    assert torch.equal(mask.dense(4, 5).expand(2, 3, 4, 5), expected)
    assert torch.equal(mask.rows(1, 3, 4, 5).expand(2, 3, 2, 5), expected[:, :, 1:3])
    assert torch.equal((mask & Causal()).dense(4, 5).expand(2, 3, 4, 5), expected & Causal().dense(4, 5))
    assert torch.equal((~mask).dense(4, 5).expand(2, 3, 4, 5), ~expected)
    assert mask.over(2, 3) is mask


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_entry_by_entry_it_is_the_same(shape: tuple[int, ...]) -> None:
    tensor = torch.rand(shape) > 0.5
    ask = Dense(tensor).mask_mod(4, 5)
    b, h, q, k = torch.meshgrid(*map(torch.arange, (2, 3, 4, 5)), indexing="ij")
    assert torch.equal(ask(b, h, q, k), tensor.expand(2, 3, 4, 5))


def test_nothing_is_copied() -> None:
    tensor = torch.ones(4, 5, dtype=torch.bool)
    assert Dense(tensor).dense(4, 5).data_ptr() == tensor.data_ptr()


@pytest.mark.parametrize(("q", "k", "found"), [(3, 5, "4 queries: found 3"), (4, 6, "5 keys: found 6"), (1, 5, "4 queries: found 1")])
def test_another_size_is_refused(q: int, k: int, found: str) -> None:
    mask = Dense(torch.ones(4, 5, dtype=torch.bool))
    for rule in (mask, mask | Causal(), ~mask):
        for ask in (rule.dense, rule.density, rule.mask_mod):
            with pytest.raises(ShapeError, match=rf"bool \(4, 5\)>\) was made for {found}"):
                ask(q, k)


def test_another_batch_or_other_heads_are_refused() -> None:
    mask = Dense(torch.ones(2, 3, 4, 5, dtype=torch.bool))
    with pytest.raises(ShapeError, match="made for 2 sequences: found 4"):
        (mask & Causal()).over(4, 3)
    with pytest.raises(ShapeError, match="made for 3 heads: found 6"):
        (~mask).over(2, 6)


def test_what_is_no_table_of_booleans_is_refused() -> None:
    with pytest.raises(UsageError, match=r"found torch\.float32"):
        Dense(torch.ones(2, 2))
    with pytest.raises(UsageError, match="found list"):
        Dense([[True]])  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"broadcasts to \(b, h, q, k\): found the shape \(1, 1, 1, 2, 2\)"):
        Dense(torch.ones(1, 1, 1, 2, 2, dtype=torch.bool))


def test_as_mask() -> None:
    causal, tensor = Causal(), torch.ones(2, 2, dtype=torch.bool)
    assert as_mask(None) is None
    assert as_mask(causal) is causal
    coerced = as_mask(tensor)
    assert isinstance(coerced, Dense)
    assert coerced.tensor is tensor
    with pytest.raises(UsageError, match=r"found float32 \(2, 2\); numbers that are added to the scores go to bias="):
        as_mask(torch.zeros(2, 2))
    with pytest.raises(UsageError, match=r"found int64 \(2, 2\); mask.bool\(\) would work"):
        as_mask(torch.zeros(2, 2, dtype=torch.int64))
    with pytest.raises(UsageError, match=r"a mask of heedful\.masks or a bool tensor: found str"):
        as_mask("causal")  # type: ignore[arg-type]
