"""Predicted costs: declared operations are those counted, and the quickest backend is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

import heedful
from heedful.attention.attend import attend
from heedful.attention.backends.load import LOADS, compiles, load_of
from heedful.attention.backends.quickest import RANKED, predicted, quickest
from heedful.attention.backends.table import BACKENDS
from heedful.attention.resolve import resolve
from heedful.attention.tiles import engines
from heedful.cost import attention as cost
from heedful.cost import table
from heedful.cost.counter import counter
from heedful.cost.device import fingerprint
from heedful.cost.model import Point
from heedful.masks import BigBird, Causal, Dense, Documents, Mask, Sinks, Strided, Window

NAMES = [row.name for row in BACKENDS]
MASKS = (None, Causal(), Causal() & Window(100), Causal() & (Window(70) | Sinks(4)), BigBird(block=64), Strided(3))


@pytest.fixture(autouse=True)
def unmeasured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(table, "folder", lambda: tmp_path)
    table.forget()
    RANKED.clear()
    yield
    table.forget()
    RANKED.clear()


@pytest.fixture
def in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products that torch's counter sees."""
    monkeypatch.setattr(engines, "ENGINES", tuple(row for row in engines.ENGINES if row.name == "torch"))


def test_every_backend_has_a_load() -> None:
    assert set(NAMES) == set(LOADS)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("backend", ["sdpa", "naive", "tiled"])
@pytest.mark.parametrize("groups", [1, 4])
def test_declared_operations_are_those_counted(backend: str, backward: bool, groups: int, in_torch: None) -> None:
    q = torch.randn(2, 4, 192, 16, requires_grad=backward)
    k, v = (torch.randn(2, 4 // groups, 128, width, requires_grad=backward) for width in (16, 16))
    call = resolve(q, k, v, {})
    load = load_of(backend, call)
    assert load is not None
    with counter() as counted:
        out = attend(q, k, v, backend=backend)
        if backward:
            out.sum().backward()
    assert load.backward is backward
    assert load.cost().operations == counted.get_total_flops()


@pytest.mark.parametrize("mask", MASKS[1:], ids=str)
def test_sparse_operations_are_the_blocks_that_hold_something(mask: Mask) -> None:
    q = torch.empty(1, 2, 320, 16)
    load = load_of("banded", resolve(q, q, q, {"mask": mask}))
    assert load is not None
    held = int(mask.dense(320, 320).reshape(5, 64, 5, 64).any(3).any(1).sum())
    assert load.cost().operations == 4 * 2 * held * 64 * 64 * 16


def test_a_step_costs_the_keys_it_may_see() -> None:
    q, k = torch.empty(1, 2, 1, 16), torch.empty(1, 2, 1000, 16)
    load = load_of("decode", resolve(q, k, k, {"mask": Causal() & (Window(100) | Sinks(4))}))
    assert load is not None
    assert load.cost().operations == 4 * 2 * 104 * 16


def test_packed_texts_cost_their_squares() -> None:
    ids = torch.repeat_interleave(torch.arange(3), 100)[None]
    q = torch.empty(1, 2, 300, 16)
    load = load_of("varlen", resolve(q, q, q, {"mask": Documents(ids)}))
    assert load is not None
    assert load.cost().operations == 3 * 4 * 2 * 100 * 100 * 16


@pytest.mark.parametrize("mask", MASKS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("backward", [False, True])
def test_every_backend_that_can_serve_has_a_time(mask: Mask | None, dtype: torch.dtype, backward: bool) -> None:
    q = torch.empty(1, 2, 128, 16, dtype=dtype, requires_grad=backward)
    call = resolve(q, q, q, {"mask": mask})
    for row in BACKENDS:
        if row.why_not(call) is None:
            assert (predicted(row.name, call) or 0) > 0, row.name


def test_auto_takes_the_quickest() -> None:
    q = torch.empty(1, 8, 256, 64)
    call = resolve(q, q, q, {})
    sizes = cost.Sizes(1, 8, 8, 256, 256, 64, 64)
    for quick in ("sdpa", "naive"):
        slow = {"sdpa": "naive", "naive": "sdpa"}[quick]
        times = {quick: 0.001, slow: 9.0, "tiles": 9.0, "torch tiles": 9.0, "flex": 9.0}
        table.save({(kernel, "float32", False): (Point(sizes, time),) for kernel, time in times.items()}, fingerprint())
        RANKED.clear()
        assert quickest(call, BACKENDS).name == quick
        words = {word.backend: word for word in heedful.why(q, q, q)}
        assert words[quick].chosen
        assert words[quick].milliseconds == pytest.approx(0.001)
        assert "about 0.001 ms" in str(words[quick])


def test_masks_of_tensors_do_not_stay_in_memory() -> None:
    q = torch.zeros(1, 1, 4, 8)
    attend(q, q, q, mask=Dense(torch.ones(4, 4, dtype=torch.bool)))
    assert not any(isinstance(part, Mask) for key in RANKED for part in key)


@pytest.mark.parametrize("options", [{}, {"mask": Causal()}, {"mask": Causal() & Window(64)}, {"weighting": "sparsemax"}], ids=str)
def test_prediction_without_tensors_is_that_with_them(options: Any) -> None:
    q = torch.empty(2, 4, 200, 32)
    found = heedful.predict_cost(q=200, heads=4, d=32, batch=2, **options)
    word = next(word for word in heedful.why(q, q, q, **options) if word.chosen)
    assert (found.backend, found.milliseconds) == (word.backend, word.milliseconds)
    assert not found.measured


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_one_query_behind_a_long_cache_is_decoded(dtype: torch.dtype) -> None:
    q, k = torch.empty(1, 8, 1, 64, dtype=dtype), torch.empty(1, 8, 8192, 64, dtype=dtype)
    words = {word.backend: word for word in heedful.why(q, k, k, mask=Causal())}
    assert words["decode"].chosen
    assert (words["decode"].milliseconds or 0.0) < (words["tiled"].milliseconds or 0.0)


@pytest.mark.parametrize(("backend", "queries"), [*product(["tiled", "banded", "sdpa"], [1, 63, 65]), ("decode", 1)])
def test_operations_are_those_of_the_queries_there_are(backend: str, queries: int) -> None:
    found = heedful.predict_cost(q=queries, k=8192, heads=8, d=64, mask=Causal(), backend=backend)
    held = 8192  # a block of queries at the end sees all blocks of keys, and sdpa computes every pair
    assert found.operations == 4 * 8 * queries * held * 64
    assert found.bytes == 4 * 8 * 64 * 2 * (queries + held)


@pytest.mark.skipif(not compiles(), reason="the engine in torch cuts its tiles of queries to measure")
def test_a_query_takes_as_long_as_a_tile_of_them() -> None:
    q, k = torch.empty(1, 8, 1, 64), torch.empty(1, 8, 8192, 64)
    one, tile = (load_of("tiled", resolve(rows, k, k, {})) for rows in (q, q.expand(1, 8, 64, 64)))
    assert one is not None
    assert tile is not None
    assert one.timed.q == tile.sizes.q == 64
    assert one.cost().operations * 64 == tile.cost().operations


def test_a_window_costs_less_and_gradients_more() -> None:
    window = heedful.predict_cost(q=8192, mask=Causal() & Window(256))
    full, trained = heedful.predict_cost(q=8192), heedful.predict_cost(q=8192, backward=True)
    assert (window.milliseconds or 0) < (full.milliseconds or 0) < (trained.milliseconds or 0)
    assert window.operations < full.operations < trained.operations


def test_a_prediction_that_cannot_be_made_says_why() -> None:
    with pytest.raises(heedful.HeedfulError, match="cannot serve"):
        heedful.predict_cost(q=10, softcap=3.0, backend="sdpa")
