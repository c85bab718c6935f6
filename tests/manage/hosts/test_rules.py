"""Masks as transformers tells them: what we make of them has the same entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import masking_utils as hf

from heedful.attention.masks.dense import Dense
from heedful.errors import Unsupported
from heedful.manage.hosts.interface import told_mask
from heedful.manage.hosts.told import ToldMask

LEFT = torch.tensor([0, 3])
TABLES = {
    "none": None,
    "all real": torch.ones(2, 9, dtype=torch.bool),
    "left": torch.arange(9)[None] >= LEFT[:, None],
    "right": torch.arange(9)[None] < torch.tensor([[9], [5]]),
    "gaps": torch.tensor([[1, 0, 1, 1, 0, 1, 1, 1, 1], [1] * 9]).bool(),
    "nothing": torch.tensor([[0] * 9, [1] * 9]).bool(),
    "short": torch.ones(2, 4, dtype=torch.bool),
}
KNOWN: dict[str, Callable[..., Any]] = {
    "causal": hf.causal_mask_function,
    "both ways": hf.bidirectional_mask_function,
    "window": hf.sliding_window_causal_mask_function(3),
    "wide window": hf.sliding_window_causal_mask_function(30),
    "window both ways": hf.sliding_window_bidirectional_mask_function(2),
    "chunks": hf.chunked_causal_mask_function(4, torch.zeros(2, dtype=torch.long)),
    "chunks after padding": hf.chunked_causal_mask_function(4, LEFT),
}
PACKED = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2, 3], [0, 1, 0, 1, 2, 3, 4, 5, 6]])
PLACES = {  # queries, keys, first query, first key
    "a whole pass": (9, 9, 0, 0),
    "a step": (1, 9, 8, 0),
    "some steps": (3, 9, 6, 0),
    "a static cache": (5, 9, 0, 0),
    "a step in a static cache": (1, 9, 4, 0),
    "a sliding cache": (1, 4, 8, 5),
    "some steps in a sliding cache": (2, 5, 7, 4),
    "queries behind the last key": (2, 5, 6, 0),
}


def both(function: Callable[..., Any], real: Tensor | None, places: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Our mask and transformers' own."""
    queries, keys, first_q, first_k = places
    asked = {"q_offset": first_q, "kv_offset": first_k, "mask_function": function, "attention_mask": real}
    told = told_mask(2, queries, keys, **asked)  # type: ignore[arg-type]
    table = hf.sdpa_mask(2, queries, keys, **asked, allow_is_causal_skip=False)  # type: ignore[arg-type]
    assert table is not None
    return told, table


@pytest.mark.parametrize("real", TABLES)
@pytest.mark.parametrize("function", KNOWN)
@pytest.mark.parametrize("places", PLACES)
def test_the_entries_are_those_of_transformers(function: str, real: str, places: str) -> None:
    told, table = both(KNOWN[function], TABLES[real], PLACES[places])
    assert told.shape == table.shape
    assert torch.equal(told | False, table)


@pytest.mark.parametrize("function", KNOWN)
def test_a_known_function_makes_no_table(function: str) -> None:
    for real in (None, TABLES["left"], TABLES["right"]):
        told, _ = both(KNOWN[function], real, (9, 9, 0, 0))
        assert isinstance(told, ToldMask)
        assert "Dense" not in repr(told.rule.mask)


@pytest.mark.parametrize("function", ["causal", "window", "chunks"])
def test_packed_sequences_are_documents(function: str) -> None:
    ids = hf.find_packed_sequence_indices(PACKED)
    packed = hf.packed_sequence_compatibility_function(KNOWN[function], PACKED, ids)
    told, table = both(packed, None, (9, 9, 0, 0))
    assert torch.equal(told | False, table)
    assert isinstance(told, ToldMask) == (function != "chunks")


def test_a_function_of_the_model_itself_is_asked_for_every_entry() -> None:
    odd = hf.and_masks(hf.causal_mask_function, lambda b, h, q, k: (k % 2 == 0) | (b == 1))
    told, table = both(odd, TABLES["left"], (9, 9, 0, 0))
    assert not isinstance(told, ToldMask)
    assert torch.equal(told, table)
    either = hf.or_masks(hf.causal_mask_function, hf.blockwise_overlay(torch.tensor([[-1, 0, 0, 0, -1, 1, 1, -1, -1]]).expand(2, 9)))
    assert torch.equal(*both(either, None, (9, 9, 0, 0)))


def test_a_told_mask_keeps_nothing_until_it_is_asked() -> None:
    told, table = both(KNOWN["window"], TABLES["left"], (9, 9, 0, 0))
    assert isinstance(told, ToldMask)
    assert ToldMask.of(told.rule, (1, 1, 10**6, 10**6)).shape[-1] == 10**6
    assert (told.ndim, told.dtype, told.shape[-1], len(told)) == (4, torch.bool, 9, 2)
    cut = told[:, :, -2:, :5]
    assert not isinstance(cut, ToldMask)
    assert torch.equal(cut, table[:, :, -2:, :5])
    assert torch.equal(torch.where(told, 0.0, -1.0), torch.where(table, 0.0, -1.0))
    with pytest.raises(Unsupported, match="in place"):
        told[0] = False
    with pytest.raises(Unsupported, match="in place"):
        told.logical_not_()


def test_padding_with_gaps_costs_no_table_either() -> None:
    told, _ = both(KNOWN["causal"], TABLES["gaps"], (9, 9, 0, 0))
    assert isinstance(told, ToldMask)
    keys = next(part for part in told.rule.mask.parts if isinstance(part, Dense))  # type: ignore[union-attr]
    assert keys.tensor.shape == (2, 1, 1, 9)
