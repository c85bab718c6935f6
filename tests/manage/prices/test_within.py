"""A layer that slides anyway is priced by what it really computes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heedful.manage.options.table import parse
from heedful.manage.prices.prices import prices
from heedful.manage.prices.work import Setting
from heedful.manage.site import Site

SITE = Site(0, "layer", heads=2, kv_heads=2, d=8, v=8, causal=True, window=16)
NAMES = ("full", "window(32,4)", "window(16,4)", "window(4,2)", "drop")


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_all_of_a_sliding_layer_is_its_window(phase: str) -> None:
    options = [parse(name) for name in NAMES]
    found = prices([SITE], options, Setting(length=64, phase=phase))  # type: ignore[arg-type]
    plain = prices([replace(SITE, window=None)], [*options, parse("window(16,0)")], Setting(length=64, phase=phase))  # type: ignore[arg-type]
    own, free = plain.of(replace(SITE, window=None), "window(16,0)"), plain.of(replace(SITE, window=None), "window(4,2)")
    for name in NAMES[:3]:
        assert (found.of(SITE, name).operations, found.of(SITE, name).bytes) == (own.operations, own.bytes)
    assert found.of(SITE, "window(4,2)").operations == free.operations < own.operations
    assert found.of(SITE, "drop").operations == 0


def test_a_text_no_longer_than_the_window_is_priced_as_ever() -> None:
    found = prices([replace(SITE, window=64)], [parse("full")], Setting(length=64))
    assert found.of(replace(SITE, window=64), "full").operations == 2.0 * 64 * 65 / 2 * 16
