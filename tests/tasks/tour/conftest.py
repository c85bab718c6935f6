"""The tour in miniature: its own stops, on a small text, with models that learn next to nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heedful.spec import DataSpec, DecoderSpec, RecurrentSpec, RunSpec, TrainSpec
from heedful.spec.generation import Ending
from heedful.tasks.tour.plan import Plan, plan

TEXT = "The cat sat on the mat, and the dog read <b>books</b> & more.\n\nThe dog did not love to read; I do: 1 + 2.\n\n" * 60


@pytest.fixture(scope="session")
def small_plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Every part of the plan, cut down."""
    source = tmp_path_factory.mktemp("source") / "text.txt"
    source.write_text(TEXT)
    data = DataSpec(str(source), test=0.2)
    train = TrainSpec(steps=6, batch=4, warmup=1, eval_every=3, log_every=2, optimiser="muon")
    model = DecoderSpec(context=24, width=16, layers=2, heads=2)
    recurrent = RecurrentSpec(context=16, embedding=8, hidden=8)
    return replace(
        plan(0),
        transformer=RunSpec(data=data, model=model, train=train),
        recurrent=RunSpec(data=data, model=recurrent, train=replace(train, order="stream", optimiser="adamw")),
        gated=RunSpec(data=data, model=replace(model, width=8), train=replace(train, steps=2)),
        prompt="The cat",
        ending=Ending(max_tokens=8),
        passage=20,
        windows=3,
        timed=2,
        texts=2,
    )
