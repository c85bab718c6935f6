"""Small language models that have learnt nothing, and runs of them on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heedful.data.tokens import tokenizer_state, train_tokenizer
from heedful.models.build import build
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.spec import AttentionSpec, DataSpec, DecoderSpec, MechanismSpec, ModelSpec, RecurrentSpec, RunSpec
from heedful.train.run import Run

TEXT = "to be, or not to be: that is the question.\n" * 40
MODELS: dict[str, ModelSpec] = {
    "rope": DecoderSpec(context=16, width=16, layers=2, heads=4, kv_heads=2),
    "learned": DecoderSpec(context=16, width=16, layers=2, heads=4, attention=AttentionSpec(position=MechanismSpec("learned"))),
    "recurrent": RecurrentSpec(context=16, embedding=8, hidden=12),
}


@pytest.fixture(params=MODELS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of an untrained run of each kind of model, on a text of its own."""
    return make_run(tmp_path, MODELS[request.param])


@pytest.fixture
def rope_run(tmp_path: Path) -> Path:
    """The same for the plainest model."""
    return make_run(tmp_path, MODELS["rope"])


@pytest.fixture
def plain_run(tmp_path: Path) -> Path:
    """The same for a recurrent model without attention."""
    return make_run(tmp_path, RecurrentSpec(context=16, embedding=8, hidden=12, attention=None))


def make_run(folder: Path, model: ModelSpec) -> Path:
    """A run as training leaves it, without the training."""
    source = folder / "text.txt"
    source.write_text(TEXT)
    tokenizer = train_tokenizer("char", [TEXT])
    spec = RunSpec(data=DataSpec(str(source)), model=replace(model, vocabulary=tokenizer.size))
    torch.manual_seed(0)
    lm = build(spec.model)
    for weight in lm.parameters():
        weight.data.add_(0.2 * torch.randn_like(weight))
    run = Run.create(folder / "run", spec, tokenizer)
    save_checkpoint(run.best_path, Checkpoint(lm.state_dict(), spec, tokenizer_state(tokenizer)))
    return run.path
