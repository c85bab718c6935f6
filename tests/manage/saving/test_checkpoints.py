"""Runs under plans: `heedful apply` writes them, every command opens them."""

from __future__ import annotations

import json

import pytest
import torch

import heedful
from heedful.__main__ import main
from heedful.data.tokens import tokenizer_state
from heedful.errors import CheckpointError, UsageError
from heedful.manage.saving.checkpoints import restore
from heedful.models.build import build
from heedful.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from heedful.spec import DataSpec, DecoderSpec, RunSpec
from heedful.tasks.applied import apply_to
from heedful.tasks.loading import load
from heedful.train.run import Run
from manage.apply.models import plan_for

ROW = ["window(16,2)", "drop", "full", "h2o(16)"]


@pytest.fixture
def run(tmp_path):
    """A run that was never trained, in bfloat16, on a text of its own."""
    from heedful.data.tokens.byte import Bytes

    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog. " * 200)
    tokenizer = Bytes()
    size = tokenizer_state(tokenizer)["size"]
    spec = RunSpec(data=DataSpec(source=str(text)), model=DecoderSpec(vocabulary=size, context=64, width=32, layers=2, heads=4))
    made = Run.create(tmp_path / "run", spec, tokenizer)
    tensors = {name: x.bfloat16() for name, x in build(spec.model).state_dict().items()}
    save_checkpoint(made.best_path, Checkpoint(tensors, spec, tokenizer_state(tokenizer), 3))
    return made.path


@pytest.fixture
def plan(run):
    return plan_for(load(run).model, [ROW, ROW])


def test_opens_as_any_run(run, plan, tmp_path):
    apply_to(str(run), plan, tmp_path / "planned")
    model, ids = load(run).model, torch.randint(0, 200, (1, 60))
    loaded = load(tmp_path / "planned").model
    with torch.no_grad():
        with heedful.applied(model, plan):
            wanted = model(ids).logits
        torch.testing.assert_close(loaded(ids).logits, wanted)
        torch.testing.assert_close(heedful.load(tmp_path / "planned")(ids).logits, wanted)
    assert loaded.layers[0].attention.in_proj_weight.shape == (72, 32)
    held = load_checkpoint(tmp_path / "planned" / "best.safetensors")
    assert {x.dtype for x in held.tensors.values()} == {torch.bfloat16}
    assert heedful.Plan.load(tmp_path / "planned" / "plan.json") == plan


def test_every_command_opens_it(run, plan, tmp_path, capsys):
    plan.save(tmp_path / "plan.json")
    planned = str(tmp_path / "planned")
    assert main(["apply", str(run), "--plan", str(tmp_path / "plan.json"), "--out", planned, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["options"] == dict.fromkeys(ROW, 2)
    assert main(["evaluate", planned, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["transformer"]["loss"] > 0
    assert main(["predict", planned, "the", "--max-tokens", "40", "--seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == 40
    assert main(["explain", planned, "the", "--max-tokens", "4", "--seed", "1", "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").is_file()


def test_refused_in_one_line(run, plan, tmp_path, capsys):
    apply_to(str(run), plan, tmp_path / "planned")
    with pytest.raises(UsageError, match="has a plan already"):
        apply_to(str(tmp_path / "planned"), plan, tmp_path / "again")
    with pytest.raises(UsageError, match="holds a run already"):
        apply_to(str(run), plan, tmp_path / "planned")
    other = build(DecoderSpec(vocabulary=11, width=32, layers=2, heads=4))
    plan_for(other, [ROW, ROW]).save(tmp_path / "other.json")
    capsys.readouterr()
    assert main(["apply", str(run), "--plan", str(tmp_path / "other.json"), "--out", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err.strip()
    assert "made for the model" in said
    assert "\n" not in said
    assert not (tmp_path / "new").exists()


def test_a_plan_that_does_not_fit_its_checkpoint(run, tmp_path):
    held = load_checkpoint(run / "best.safetensors")
    path = tmp_path / "bad.safetensors"
    for plan in ({"choices": [ROW]}, {"choices": [["unknown(3)"] * 4] * 2}, {}):
        save_checkpoint(path, Checkpoint(held.tensors, held.spec, held.tokenizer, 0, {"plan": plan}))
        with pytest.raises(CheckpointError, match="does not fit its model"):
            restore(path, build)
