"""What holds for every mask and every combination of masks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.masks.mask_strategies import chance, combined, lengths, positional, sized
from heedful.attention.masks import density
from heedful.masks import Causal, Documents, Mask

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
any_mask = combined(positional | chance)


@EXAMPLES
@given(any_mask, any_mask, lengths)
def test_de_morgan(a: Mask, b: Mask, size: tuple[int, int]) -> None:
    assert torch.equal((~(a & b)).dense(*size), (~a | ~b).dense(*size))
    assert torch.equal((~(a | b)).dense(*size), (~a & ~b).dense(*size))


@EXAMPLES
@given(any_mask, any_mask, any_mask, lengths)
def test_order_and_nesting_do_not_matter(a: Mask, b: Mask, c: Mask, size: tuple[int, int]) -> None:
    assert torch.equal((a & (b | c)).dense(*size), ((c & a) | (b & a)).dense(*size))
    assert torch.equal((~~a).dense(*size), a.dense(*size))


@EXAMPLES
@given(any_mask, lengths, st.data())
def test_chunks_of_rows_are_the_rows(mask: Mask, size: tuple[int, int], data: st.DataObject) -> None:
    q, k = size
    start = data.draw(st.integers(0, q))
    stop = data.draw(st.integers(start, q))
    whole = mask.dense(q, k).expand(-1, -1, q, k)
    assert torch.equal(mask.rows(start, stop, q, k).expand(*whole.shape[:2], stop - start, k), whole[:, :, start:stop])


@EXAMPLES
@given(any_mask, lengths)
def test_density_is_the_mean(mask: Mask, size: tuple[int, int]) -> None:
    assert mask.density(*size) == pytest.approx(mask.dense(*size).double().mean().item(), abs=1e-12)


@EXAMPLES
@given(lengths.flatmap(lambda size: st.tuples(st.just(size), combined(positional | chance | sized(*size)))))
def test_density_of_masks_made_for_their_lengths(drawn: tuple[tuple[int, int], Mask]) -> None:
    size, mask = drawn
    assert mask.density(*size) == pytest.approx(mask.dense(*size).double().mean().item(), abs=1e-12)
    assert mask.over(mask.batch or 3, 4).dense(*size).shape == mask.dense(*size).shape


@EXAMPLES
@given(st.lists(st.lists(st.integers(0, 3), min_size=9, max_size=9), min_size=1, max_size=3), st.integers(1, 9))
def test_density_of_documents(ids: list[list[int]], q: int) -> None:
    mask = Documents(torch.tensor(ids))
    assert mask.density(q, 9) == pytest.approx(mask.dense(q, 9).double().mean().item(), abs=1e-12)


@EXAMPLES
@given(combined(positional), st.integers(1, 12), st.integers(1, 12))
def test_a_cached_step_is_the_last_rows_of_the_whole(mask: Mask, k: int, q: int) -> None:
    q = min(q, k)
    assert mask.stable
    whole = mask.dense(k, k).expand(-1, -1, k, k)
    assert torch.equal(mask.dense(q, k).expand(*whole.shape[:2], q, k), whole[:, :, k - q :])


@EXAMPLES
@given(combined(positional), st.integers(1, 10), st.integers(0, 6))
def test_more_keys_leave_a_stable_mask_as_it_was(mask: Mask, k: int, more: int) -> None:
    longer = mask.dense(k + more, k + more).expand(-1, -1, k + more, k + more)
    assert torch.equal(longer[..., :k, :k], mask.dense(k, k).expand(*longer.shape[:2], k, k))


@EXAMPLES
@given(any_mask, lengths)
def test_causal_never_looks_ahead(mask: Mask, size: tuple[int, int]) -> None:
    q, k = size
    dense = (mask & Causal()).dense(q, k).expand(-1, -1, q, k)
    ahead = torch.arange(k)[None, :] > torch.arange(q)[:, None] + k - q
    assert not (dense & ahead).any()


@EXAMPLES
@given(any_mask, lengths)
def test_given_all_positions_it_is_itself(mask: Mask, size: tuple[int, int]) -> None:
    q, k = size
    held = mask.at(torch.arange(k - q, k), torch.arange(k), k)
    assert torch.equal(held.dense(q, k).expand(-1, -1, q, k), mask.dense(q, k).expand(-1, -1, q, k))


@EXAMPLES
@given(any_mask, lengths)
def test_a_small_picture_is_the_mask(mask: Mask, size: tuple[int, int]) -> None:
    lines = mask.draw(*size).split()
    assert [[cell == "■" for cell in line] for line in lines] == mask.dense(*size).expand(-1, -1, *size)[0, 0].tolist()


def test_counting_streams_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = Causal() & ~Causal() | Documents(torch.arange(50)[None] // 7)
    whole = mask.density(50, 50)
    monkeypatch.setattr(density, "CELLS", 120)
    seen: list[int] = []
    rows = mask.rows
    streamed = density.streamed(lambda a, b: (seen.append(b - a), rows(a, b, 50, 50))[1], 50, 50)
    assert streamed == pytest.approx(whole, abs=1e-12)
    assert max(seen) == 2
