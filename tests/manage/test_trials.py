from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from heedful.manage.estimators.table import ESTIMATORS
from heedful.manage.options.table import default_options, parse
from heedful.manage.trials import Given, trials
from heedful.masks import Causal, Dense, Padding
from manage.made import seen_of

LENGTH, PREFILL = 40, 30


def given(mask: object, prefill: int | None = PREFILL) -> Given:
    torch.manual_seed(0)
    seen = seen_of(LENGTH, mask=mask)  # type: ignore[arg-type]
    out, summary = seen.attend(summaries=("lse",))
    rows = slice(prefill or 0, LENGTH)
    return Given(seen, out[:, :, rows], summary.lse[:, :, rows], torch.randn_like(out)[:, :, rows], prefill=prefill)


@pytest.mark.parametrize("prefill", [None, PREFILL])
def test_parts_that_are_joined_equal_the_whole_under_a_mask(prefill: int | None) -> None:
    plain, table = given(Causal(), prefill), given(Dense(Causal().dense(LENGTH, LENGTH)), prefill)
    assert plain.plain
    assert not table.plain
    options = default_options(LENGTH, "prefill" if prefill is None else "decode")[1:]
    for one, other in zip(trials(plain, options), trials(table, options), strict=True):
        torch.testing.assert_close(one.changed, other.changed)
        torch.testing.assert_close(one.lse, other.lse)
        for row in ESTIMATORS:
            torch.testing.assert_close(row.sums(one), row.sums(other), rtol=1e-5, atol=1e-9)


def test_what_evicts_nothing_changes_nothing() -> None:
    for trial in trials(given(Causal()), [parse("h2o(30)"), parse("keynorm(100)"), parse("streaming(40,4)"), parse("window(50,0)")]):
        assert all(float(row.sums(trial).max()) < 1e-9 for row in ESTIMATORS), trial.option


def test_a_ladder_loses_more_with_every_step_down() -> None:
    trial = {each.option.name: each for each in trials(given(Causal(), None), [parse(f"window({n},0)") for n in (32, 16, 8, 4, 2, 1)])}
    dropped = [float(each.dropped.sum()) for each in trial.values()]
    assert dropped == sorted(dropped)
    assert dropped[-1] < 2 * 4 * LENGTH


def test_sink_logits_and_padding_are_counted_in() -> None:
    mask = Causal() & Padding(torch.tensor([LENGTH, 28]), side="left")
    seen = seen_of(LENGTH, mask=mask)
    sunk = replace(seen, options={**seen.options, "sink_logits": torch.randn(4, dtype=torch.float64)})
    out, summary = sunk.attend(summaries=("lse",))
    here = Given(sunk, out[:, :, PREFILL:], summary.lse[:, :, PREFILL:], torch.randn_like(out)[:, :, PREFILL:], prefill=PREFILL)
    _, weights = sunk.attend(return_weights=True)
    (trial,) = trials(here, [parse("streaming(6,2)")])
    shown = torch.zeros(2, 1, LENGTH, LENGTH, dtype=torch.bool)
    for b, first in enumerate((0, 12)):  # what is pinned are the first real keys of each row
        for q in range(LENGTH):
            shown[b, 0, q] = torch.tensor([k <= q and (k > q - 6 or first <= k < first + 2) for k in range(LENGTH)])
    taken = (weights * ~shown).sum(-1)[:, :, PREFILL:]
    torch.testing.assert_close(trial.dropped, taken)
