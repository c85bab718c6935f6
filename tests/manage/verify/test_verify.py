from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from heedful.errors import UsageError
from heedful.manage.hashes import batches_hashes
from heedful.manage.plan import Plan
from heedful.manage.planning import plan
from heedful.manage.profiling import profile
from heedful.manage.verify.parts import parts
from heedful.manage.verify.protocol import Protocol
from heedful.manage.verify.verify import verify
from heedful.spec.budget import Budget
from manage.verify.texts import LENGTH, Case, batches_of, model_of

QUICK = Protocol(probes=0, timed=0)


def with_all(case: Case, name: str) -> Plan:
    """A plan that gives every head the same option."""
    made = plan(case.profile, Budget(operations=0.5))
    return replace(made, choices=tuple((name,) * site.heads for site in made.sites))


def test_a_mild_plan_holds_and_its_figures_are_those_of_the_two_models(case: Case) -> None:
    made = plan(case.profile, Budget(operations=0.9))
    report = verify(case.model, made, case.test, 0.02, select=case.select, profile=case.profile, protocol=QUICK)
    assert report.passed
    assert report.mean < report.bound <= 0.02
    assert report.reasons == ()
    assert report.plan == made
    assert report.tokens == sum(batch["labels"].numel() for batch in case.test)
    assert report.unit == "32 sequences of 64 places"
    assert report.kl is not None
    assert 0 < report.kl < 0.02
    assert report.agreement is not None
    assert 0.9 < report.agreement < 1


def test_a_plan_that_leaves_everything_changes_nothing(case: Case) -> None:
    report = verify(case.model, with_all(case, "full"), case.test, 0.0001, select=case.select, protocol=QUICK)
    assert report.passed
    assert abs(report.mean) < 1e-6
    assert report.same is not None
    assert report.same < 1e-6
    assert report.agreement == 1.0


def test_a_plan_that_destroys_a_model_does_not_hold(case: Case) -> None:
    report = verify(case.model, with_all(case, "drop"), case.test, 0.02, select=case.select, protocol=replace(QUICK, rounds=0))
    assert not report.passed
    assert report.mean > 0.1
    assert "above epsilon 0.02" in report.reasons[0]
    assert report.promoted == 0


@pytest.mark.parametrize("known", [True, False])
def test_promotion_repairs_it_on_other_text_than_the_claims(case: Case, known: bool) -> None:
    broken = with_all(case, "drop")
    report = verify(case.model, broken, case.test, 0.02, select=case.select, profile=case.profile if known else None, protocol=QUICK)
    assert report.passed
    assert report.bound <= 0.02
    assert report.promoted >= 1
    assert report.rounds[0].upper > 0.02 >= report.rounds[-1].upper
    assert report.plan.predicted.operations > 0
    changed = [(site, head) for site, row in enumerate(report.plan.choices) for head, name in enumerate(row) if name != "drop"]
    assert changed
    assert all("promoted from" in report.plan.reasons[site][head] for site, head in changed)
    assert set(batches_hashes(case.select)) <= set(report.plan.calibrated)
    assert not set(batches_hashes(case.test)) & set(report.plan.calibrated)
    with pytest.raises(UsageError, match="used to make this plan"):
        verify(case.model, report.plan, case.select, 0.02, select=[], protocol=QUICK)


def test_promotion_goes_no_further_than_it_has_to(case: Case) -> None:
    broken = with_all(case, "drop")
    wide = verify(case.model, broken, case.test, 0.1, select=case.select, profile=case.profile, protocol=QUICK)
    tight = verify(case.model, broken, case.test, 0.01, select=case.select, profile=case.profile, protocol=QUICK)
    assert wide.passed
    assert tight.passed
    assert wide.plan.predicted.operations < tight.plan.predicted.operations < wide.plan.dense.operations


def test_two_sequences_that_bound_nothing_do_not_promote_everything(case: Case) -> None:
    made = plan(case.profile, Budget(operations=0.9))
    two = [{name: value[:2] for name, value in case.select[0].items()}]
    report = verify(case.model, made, case.test, 0.02, select=two, profile=case.profile, protocol=QUICK)
    assert math.isinf(report.rounds[0].upper)
    assert report.promoted == 0
    assert report.passed


def test_what_a_plan_was_made_on_is_refused_however_it_is_batched(case: Case) -> None:
    made = plan(case.profile, Budget(operations=0.5))
    one = {name: value[2:3] for name, value in case.calibrate[1].items()}
    for test, select in (([*case.test, one], case.select), (case.test, [one])):
        with pytest.raises(UsageError, match=r"1 of .* sequences were used to make this plan"):
            verify(case.model, made, test, select=select, protocol=QUICK)
    with pytest.raises(UsageError, match="both for promotion and for the claim"):
        verify(case.model, made, case.test, select=case.test[:1], protocol=QUICK)


def test_another_model_and_nonsense_are_refused(case: Case) -> None:
    made = plan(case.profile, Budget(operations=0.5))
    with pytest.raises(UsageError, match="made for the model"):
        verify(model_of(1), made, case.test)
    with pytest.raises(UsageError, match="found none"):
        verify(case.model, made, [])
    with pytest.raises(UsageError, match="0 or more"):
        verify(case.model, made, case.test, -1.0)
    other = profile(model_of(1), batches_of(model_of(1), 1, 2, 9))
    with pytest.raises(UsageError, match="the profile is of the model"):
        verify(case.model, with_all(case, "drop"), case.test, select=case.select, profile=other, protocol=QUICK)


def test_batches_are_divided_where_no_one_says_how(case: Case) -> None:
    made = plan(case.profile, Budget(operations=0.5))
    third = parts(made, case.test, None)
    assert (len(third.select), len(third.test)) == (2, 6)
    rows = parts(made, case.test[:1], None)
    assert (len(rows.select), len(rows.test)) == (1, 3)
    assert sorted(batches_hashes(rows.select) + batches_hashes(rows.test)) == sorted(batches_hashes(case.test[:1]))
    alone = parts(made, [{name: value[:1] for name, value in case.test[0].items()}], None)
    assert (len(alone.select), len(alone.test)) == (0, 1)


def test_a_plan_for_decoding_is_judged_behind_the_prefill(case: Case) -> None:
    decoding = profile(case.model, case.calibrate, phase="decode", prefill=48)
    made = plan(decoding, Budget(bytes=0.3, phase="decode", length=LENGTH))
    how = replace(QUICK, prefill=48)
    report = verify(case.model, made, case.test, 10.0, select=case.select, protocol=how)
    assert report.tokens == sum(batch["labels"][:, 48:].numel() for batch in case.test)
    assert report.notes == ()
    assert min(one.start for one in report.slices) == 0
    assert report.mean > 0
    assert report.same is not None
    assert report.same < 1e-4  # read into the true cache and continued: what the masks said
    early = verify(case.model, made, case.test, 10.0, select=case.select, protocol=replace(QUICK, prefill=16))
    assert "judged behind 16 tokens, the plan is for 64" in early.notes[-1]


def test_an_answer_that_is_wrong_more_often(case: Case) -> None:
    how = replace(QUICK, metric="error", rounds=0)
    report = verify(case.model, with_all(case, "drop"), case.test, 0.5, select=case.select, protocol=how)
    assert 0 < report.dense < 1
    assert report.mean > 0
    assert report.bound < 1
    with pytest.raises(UsageError, match="metric='nll' would work"):
        verify(case.model, with_all(case, "drop"), case.test, select=[], loss=lambda model, batch: torch.ones(4), protocol=how)


def test_a_report_is_saved_and_printed(case: Case, tmp_path: Path) -> None:
    how = Protocol(probes=0, timed=1)
    report = verify(case.model, plan(case.profile, Budget(operations=0.9)), case.test[:2], 0.5, select=[], protocol=how)
    held = json.loads(report.save(tmp_path / "report.json").read_text())
    assert held["version"] == 1
    assert held["plan"]["choices"] == [list(row) for row in report.plan.choices]
    assert [one["name"] for one in held["timings"]] == ["prefill", "decode", "cache"]
    said = io.StringIO()
    Console(width=120, file=said).print(report.table())
    shown = said.getvalue()
    assert "perplexity" in shown
    assert "prefill (ms)" in shown
    assert "nothing was left to promote on" in " ".join(report.notes)


def test_the_protocol_refuses_what_it_cannot_do() -> None:
    for wrong in ({"metric": "loss"}, {"level": 1.0}, {"block": 0}, {"rounds": -1}, {"prefill": 0}):
        with pytest.raises(UsageError):
            Protocol(**wrong)  # type: ignore[arg-type]
    assert math.isclose(Protocol().level, 0.95)
