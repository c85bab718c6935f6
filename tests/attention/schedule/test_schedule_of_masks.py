"""A schedule says what its mask says, by rows and by columns, and no more than it must."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

from attention.schedule.long_masks import BATCH, HEADS, Drawn, drawn_masks, packs, whole, written_out
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Mechanism, Shape
from heedful.attention.schedule import build as building
from heedful.attention.schedule import fill
from heedful.attention.schedule.build import build
from heedful.attention.schedule.schedule import Schedule
from heedful.errors import ShapeError
from heedful.masks import BigBird, Blocks, Causal, Dense, Dilated, Documents, Mask, Padding, Random, Rule, Sinks, Strided, Window

EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True, database=None)
CPU = torch.device("cpu")


def made(mask: Mask, q: int, k: int) -> Schedule:
    return build(mask.over(BATCH, HEADS), q, k, CPU)


def agrees(schedule: Schedule, dense: torch.Tensor) -> None:
    table = written_out(schedule).expand_as(dense)
    assert torch.equal(table, dense)
    assert schedule.pairs * (BATCH // schedule.batch) * (HEADS // schedule.heads) == int(dense.sum())


@EXAMPLES
@given(drawn_masks)
def test_it_is_the_mask(drawn: Drawn) -> None:
    (q, k), mask = drawn
    schedule = made(mask, q, k)
    agrees(schedule, whole(mask, q, k))
    assert schedule.density() == pytest.approx(mask.over(BATCH, HEADS).density(q, k))
    assert (
        schedule.pairs / 4096
        <= schedule.entries
        == round(schedule.share() * schedule.batch * schedule.heads * schedule.rows * schedule.columns)
    )


@EXAMPLES
@given(drawn_masks)
def test_by_keys_it_is_the_mask_too(drawn: Drawn) -> None:
    (q, k), mask = drawn
    schedule = made(mask, q, k)
    assert torch.equal(written_out(schedule, by_keys=True), written_out(schedule))


@EXAMPLES
@given(drawn_masks)
def test_what_is_full_or_outside_takes_no_words(drawn: Drawn) -> None:
    (q, k), mask = drawn
    schedule = made(mask, q, k)
    rows, columns = schedule.row % schedule.rows, schedule.column
    wide = ((q - rows * 64).clamp(max=64), (k - columns * 64).clamp(max=64))
    part = (schedule.tile >= 0).nonzero().flatten()
    held = schedule.table(part)
    assert (held.sum((1, 2)) < wide[0][part] * wide[1][part]).all()
    for entry, table in zip(part.tolist(), held, strict=True):
        assert not table[int(wide[0][entry]) :].any()
        assert not table[:, int(wide[1][entry]) :].any()
    assert sorted(set(schedule.tile[part].tolist())) == list(range(len(schedule.bits)))


@EXAMPLES
@given(drawn_masks)
def test_runs_are_the_entries_and_as_long_as_they_can_be(drawn: Drawn) -> None:
    (q, k), mask = drawn
    schedule = made(mask, q, k)
    runs = schedule.runs()
    found = [(row, column) for row, first, stop in zip(*(x.tolist() for x in runs[:3]), strict=True) for column in range(first, stop)]
    assert found == list(zip(schedule.row.tolist(), schedule.column.tolist(), strict=True))
    ends = {(row, stop) for row, stop in zip(runs.row.tolist(), runs.stop.tolist(), strict=True)}
    assert ends.isdisjoint(zip(runs.row.tolist(), runs.first.tolist(), strict=True))
    assert torch.equal(runs.entry, torch.cat([torch.zeros(1).long(), (runs.stop - runs.first).long().cumsum(0)])[:-1])
    partial = [
        bool((schedule.tile[a : a + stop - first] >= 0).any()) for a, first, stop in zip(runs.entry, runs.first, runs.stop, strict=True)
    ]
    assert runs.partial.tolist() == partial


@EXAMPLES
@given(drawn_masks)
def test_in_small_pieces_it_is_the_same(drawn: Drawn) -> None:
    (q, k), mask = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "LOOKED", 3)
        patch.setattr(fill, "BLOCKS", 2)
        patch.setattr(fill, "PAIRS", 1)
        agrees(made(mask, q, k), whole(mask, q, k))


@pytest.mark.parametrize(("q", "k"), [(0, 0), (0, 70), (70, 0)])
@pytest.mark.parametrize("mask", [Causal(), Window(3) | Sinks(1), Random(3), BigBird(16), Rule(lambda b, h, q, k: q == k)])
def test_nothing_to_attend_to(mask: Mask, q: int, k: int) -> None:
    schedule = build(mask, q, k, CPU)
    assert schedule.entries == schedule.pairs == 0
    assert schedule.start.tolist() == [0] * (-(-q // 64) + 1)
    assert schedule.t_start.tolist() == [0] * (-(-k // 64) + 1)
    assert schedule.density() == schedule.share() == 0
    assert len(schedule.runs().row) == 0


@pytest.mark.parametrize("row", MASKS, ids=lambda row: row.name)
@pytest.mark.parametrize(("q", "k"), [(1, 1), (63, 63), (100, 100), (37, 130), (1, 200), (300, 300)])
def test_every_row_of_the_table(row: Mechanism[Mask], q: int, k: int) -> None:
    mask = row.build(Shape(heads=HEADS, kv_heads=HEADS, d=8, q=q, k=k, batch=BATCH), {})
    for rule in (mask, mask & Causal(), ~mask):
        agrees(made(rule, q, k), whole(rule, q, k))


def test_lengths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="was made for 3 queries: found 4"):
        build(Dense(torch.ones(3, 3, dtype=torch.bool)), 4, 3, CPU)


def test_axes_that_do_not_matter_are_one() -> None:
    plain = build(Rule(lambda b, h, q, k: q >= k).over(4, 5), 100, 100, CPU)
    heads = build((Rule(lambda b, h, q, k: q >= k + h) & Causal()).over(4, 5), 100, 100, CPU)
    assert (plain.batch, plain.heads, heads.batch, heads.heads) == (1, 1, 1, 5)
    assert build(Documents(packs(90, 0)), 90, 90, CPU).batch == BATCH


def test_a_window_repeats_its_tiles() -> None:
    schedule = build(Causal() & Window(100), 64 * 50, 64 * 50, CPU)
    assert len(schedule.bits) == 3
    assert schedule.entries == 50 * 3 - 3


@pytest.mark.parametrize(
    "mask",
    [
        Causal() & Window(256),
        Causal() & (Window(256) | Sinks(4)),
        Dilated(20, 7),
        Blocks(100),
        BigBird(64),
        Causal() & BigBird(32, 3, 1, 2),
        Causal() & Window(300) & Strided(3),
    ],
)
def test_a_structured_mask_is_linear(mask: Mask) -> None:
    sizes = [build(mask, n, n, CPU).nbytes for n in (1 << 13, 1 << 15)]
    assert sizes[1] < 4.2 * sizes[0]


@pytest.mark.parametrize("ids", [torch.arange(1 << 14)[None] // 700, 999 - torch.arange(1 << 14)[None] // 70])
def test_packed_documents_are_looked_at_only_near_by(ids: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(building, "filled", lambda grid, looked: found.append(len(looked.row)))
    build(Causal() & Documents(ids), 1 << 14, 1 << 14, CPU)
    assert found[0] < 256 * 13


def test_a_rule_that_answers_for_other_pairs_is_refused() -> None:
    table = torch.ones(640, 640, dtype=torch.bool)
    assert build(Rule(lambda b, h, q, k: table), 640, 640, CPU).pairs == 640 * 640
    with pytest.raises(ShapeError, match="looked up by q and k"):
        build(Rule(lambda b, h, q, k: table) & Window(3), 640, 640, CPU)


@pytest.mark.parametrize("mask", [Documents(torch.tensor([[0, 1, 0, 2]])), BigBird(16), Dense(torch.ones(4, dtype=torch.bool)), Random(2)])
def test_nothing_in_reach(mask: Mask) -> None:
    assert build(mask & Sinks(0), 4, 4, CPU).entries == 0


def test_padding_of_other_batches_is_refused() -> None:
    with pytest.raises(ShapeError):
        made(Padding(torch.tensor([1, 2, 3])), 3, 3)
