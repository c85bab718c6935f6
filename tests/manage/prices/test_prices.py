"""Prices: exact operations and bytes, lines through measurements, and a file that remembers them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heedful.manage.allocate.units import spend
from heedful.manage.options.table import default_options, parse
from heedful.manage.prices import store
from heedful.manage.prices.measure import affordable, group_sizes, measured, scaled
from heedful.manage.prices.price import Kind, Price, line
from heedful.manage.prices.prices import prices
from heedful.manage.prices.steps import Steps, filled
from heedful.manage.prices.stopwatch import Stopwatch
from heedful.manage.prices.work import Passes, Setting, label, rule
from heedful.manage.site import Site

SITE = Site(0, "layer", heads=4, kv_heads=2, d=8, v=16, causal=True)
KIND = Kind.of(SITE)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "folder", lambda: tmp_path)


def test_operations_and_bytes_are_exact() -> None:
    options = [parse(name) for name in ("full", "window(8,2)", "drop")]
    found = prices([SITE], options, Setting(length=40, batch=3))
    pairs = sum(len({*range(max(0, q - 7), q + 1), *range(min(2, q + 1))}) for q in range(40))
    assert found.of(SITE, "full").operations == 2 * 3 * (40 * 41 // 2) * (8 + 16)
    assert found.of(SITE, "window(8,2)").operations == 2 * 3 * pairs * (8 + 16)
    assert found.of(SITE, "window(8,2)").bytes == 3 * 10 * (8 + 16) * 4
    assert found.of(SITE, "full").milliseconds(4) > found.of(SITE, "drop").milliseconds(4) == 0.0


def test_a_step_reads_what_is_kept() -> None:
    options = [parse(name) for name in ("full", "h2o(8)", "keynorm(8)", "streaming(6,2)", "drop")]
    found = prices([SITE], options, Setting(length=64, phase="decode", dtype=torch.bfloat16))
    assert found.of(SITE, "full").operations == 2 * 64 * 24
    assert found.of(SITE, "h2o(8)").bytes == 8 * 24 * 2
    assert found.of(SITE, "h2o(8)").points == found.of(SITE, "streaming(6,2)").points  # measured once: it is the same work


def test_a_layer_that_looks_ahead_takes_no_steps() -> None:
    encoder = Site(1, "encoder", heads=2, kv_heads=2, d=8, v=8, causal=False)
    found = prices([encoder], [parse("full")], Setting(length=16, phase="decode"))
    assert found.of(encoder, "full") == Price(0.0, 0.0, 0.0, 0.0)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measurements that take no time."""
    monkeypatch.setattr("heedful.manage.prices.prices.measured", lambda kind, options, setting: [((1, 1.0), (2, 2.0))] * len(options))


@pytest.mark.usefixtures("stub")
def test_measured_once_for_a_machine() -> None:
    options, told = [parse("full"), parse("window(4,1)")], []
    first = prices([SITE], options, Setting(length=16), tell=told.append)
    again = prices([SITE], options, Setting(length=16), tell=told.append)
    assert (first.table, len(told)) == (again.table, 1)
    prices([SITE], [*options, parse("window(6,1)")], Setting(length=16), tell=told.append)
    assert told[1].startswith("1 options")
    for more in (Setting(length=17), Setting(length=16, batch=2), Setting(length=16, dtype=torch.bfloat16), Setting(16, "decode")):
        prices([SITE], options, more, tell=told.append)
    assert len(told) == 6
    prices([SITE], options, Setting(length=16), fresh=True, tell=told.append)
    torch.set_num_threads(2)
    prices([SITE], options, Setting(length=16), tell=told.append)
    assert len(told) == 8


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 99}', '{"version": 1, "machine": {}}'])
def test_a_damaged_file_is_measured_over(damage: str, tmp_path: Path) -> None:
    prices([SITE], [parse("full")], Setting(length=16))
    (path,) = tmp_path.glob("prices-*.json")
    path.write_text(damage)
    told: list[str] = []
    prices([SITE], [parse("full")], Setting(length=16), tell=told.append)
    assert len(told) == 1
    assert store.read(prices([SITE], [parse("full")], Setting(length=16)).machine)


def test_the_line() -> None:
    assert line([(1, 3.0), (2, 5.0), (4, 9.0)]) == (pytest.approx(1.0), pytest.approx(2.0))
    group, head = line([(1, 1.0), (2, 2.5), (4, 6.0)])
    assert group == 0.0
    assert 1.0 < head < 1.5
    price = Price.fitted([(1, 1.0), (2, 2.5), (4, 6.0)], operations=1.0, bytes=1.0)
    assert price.milliseconds(4) == 4 * price.head
    assert price.milliseconds(0) == 0.0


def test_every_option_and_all_heads_are_measured() -> None:
    options = [option for option in default_options(64) if not option.drops]
    found = measured(KIND, options, Setting(length=64))
    assert [[n for n, _ in points] for points in found] == [[1, 2, 4]] * len(options)
    assert all(time > 0 for points in found for _, time in points)
    assert [[n for n, _ in points] for points in measured(KIND, options, Setting(length=64, phase="decode"))] == [[2, 4]] * len(options)


def test_long_texts_are_measured_on_shorter_ones() -> None:
    full, window = parse("full"), parse("window(64,4)")
    long, short = Setting(length=1 << 16), Setting(length=1 << 15)
    assert scaled([(1, 1.0)], full, KIND, long, short)[0][1] == pytest.approx(4.0, rel=1e-4)
    assert scaled([(1, 1.0)], window, KIND, long, short)[0][1] == pytest.approx(2.0, rel=2e-3)


def test_what_takes_long_is_measured_for_few_heads() -> None:
    kind = Kind(32, 32, 128, 128, causal=True)
    sizes = group_sizes(kind, Setting(length=8192))
    assert sizes == [1, 2, 4, 8, 16, 32]
    assert affordable(kind, parse("full"), sizes, Setting(length=8192), 8) == [1, 2]
    assert affordable(kind, parse("full"), sizes, Setting(length=64), 8) == sizes


def test_labels_tell_apart_what_takes_different_times() -> None:
    setting = Setting(length=64)
    assert label(KIND, parse("h2o(8)"), setting) == label(KIND, parse("full"), setting)
    assert label(KIND, parse("window(8,2)"), setting) != label(KIND, parse("window(8,1)"), setting)
    assert str(rule(KIND, parse("full"))) == "Causal()"


def test_the_work_of_a_pass_is_every_group_of_a_layer() -> None:
    done = Passes(KIND, Setting(length=32), Stopwatch("cpu")).work(parse("window(4,1)"), 2)
    assert done.groups == 2
    done.run()


@pytest.mark.parametrize("v", [8, 16])
@pytest.mark.parametrize("name", ["full", "h2o(8)", "streaming(6,2)", "window(6,2)"])
def test_the_work_of_a_step_is_every_group_of_every_layer(name: str, v: int) -> None:
    kind = Kind(4, 2, 8, v, causal=True)
    steps = Steps(kind, Setting(length=32, phase="decode", layers=3), Stopwatch("cpu"))
    done = steps.work(parse(name), 2)
    assert done.groups == 6
    done.run()
    planned = steps.planned(parse(name), 2)
    assert planned is None if v == 16 else planned is not None


def test_a_cache_after_a_pass_holds_what_the_option_keeps() -> None:
    steps = Steps(Kind(4, 2, 8, 8, causal=True), Setting(length=32, phase="decode"), Stopwatch("cpu"))
    for name, held in (("full", 32), ("h2o(8)", 8), ("streaming(6,2)", 8), ("window(6,2)", 8)):
        planned = steps.planned(parse(name), 4)
        assert planned is not None
        cache = filled(planned, steps.random(32, 2), steps.random(32, 2))
        assert [store.filled for store in cache.stores] == [[held]]
        assert cache.length == 32


def test_a_step_in_one_call_begins_once_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def stub(kind: Kind, options: list, setting: Setting) -> list:
        return [((2, 1.0 + 2e-3 * option.kept(setting.length)), (4, 1.0 + 4e-3 * option.kept(setting.length))) for option in options]

    monkeypatch.setattr("heedful.manage.prices.prices.measured", stub)
    monkeypatch.setattr("heedful.manage.prices.prices.started", lambda kind, setting: 0.75)
    options = [parse(name) for name in ("full", "h2o(8)", "drop")]
    square, oblong = replace(SITE, v=8), replace(SITE, index=1)
    found = prices([square, oblong], options, Setting(length=64, phase="decode"))
    full = found.of(square, "full")
    assert (full.layer, full.group, full.head) == (0.75, 0.0, pytest.approx(0.064))
    apart = found.of(oblong, "full")  # keys and values of different widths: a call for each group
    assert (apart.layer, apart.group, apart.head) == (0.0, pytest.approx(1.0), pytest.approx(0.064))
    names = (("full", "full", "h2o(8)", "h2o(8)"), ("full", "full", "drop", "drop"))
    took = spend((square, oblong), names, found).milliseconds
    assert took == pytest.approx(0.75 + 2 * 0.064 + 2 * 0.008 + 1.0 + 2 * 0.064)
    assert spend((square,), (("drop",) * 4,), found).milliseconds == 0.0
