"""What a layer takes before any head is computed: found in a small model, kept with the prices, paid once a layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from heedful.manage.options.table import parse
from heedful.manage.prices import prices as asked
from heedful.manage.prices import store
from heedful.manage.prices.price import Kind
from heedful.manage.prices.prices import prices
from heedful.manage.prices.start import entered, small, started
from heedful.manage.prices.steps import together
from heedful.manage.prices.work import Setting
from heedful.manage.site import Site

SITE = Site(0, "layer", heads=4, kv_heads=2, d=8, v=8, causal=True)
KIND = Kind.of(SITE)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "folder", lambda: tmp_path)


def test_a_small_model_of_the_kind() -> None:
    model = small(KIND, Setting(length=32, phase="decode", layers=30), 48)
    assert (len(model.layers), model.spec.heads, model.spec.kv_heads, model.spec.d, model.context) == (12, 4, 2, 8, 48)


def test_a_step_and_a_pass_take_something() -> None:
    setting = Setting(length=32, phase="decode", layers=2)
    assert started(KIND, setting) > 0.0 or not together(KIND, setting)
    assert entered(KIND, Setting(length=32)) >= 0.0


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_it_is_found_once_and_paid_once_a_layer(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(asked, "measured", lambda kind, options, setting: [((1, 1.0), (2, 2.0))] * len(options))
    monkeypatch.setattr(asked, "together", lambda kind, setting: True)
    monkeypatch.setattr(asked, "entered", lambda kind, setting: calls.append("pass") or 0.5)
    monkeypatch.setattr(asked, "started", lambda kind, setting: calls.append("step") or 0.5)
    setting = Setting(length=32, phase=phase)  # type: ignore[arg-type]
    for _ in range(2):
        found = prices([SITE], [parse("full"), parse("drop")], setting)
    assert calls == [{"prefill": "pass", "decode": "step"}[phase]]
    assert found.of(SITE, "full").layer == 0.5
    assert found.of(SITE, "drop").layer == 0.0
    prices([SITE], [parse("full")], setting, fresh=True)
    assert len(calls) == 2
