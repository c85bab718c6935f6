"""Hugging Face folders with a plan: transformers opens them as they were, `heedful.load` under the plan."""

from __future__ import annotations

import pytest
import torch

import heedful
from heedful.errors import UsageError
from heedful.manage.saving.folders import apply_to_folder
from heedful.manage.watch import sites
from heedful.models.pretrained import open_pretrained
from manage.apply.models import plan_for
from manage.hosts.families import SERVED, batch, made

ROW = ["window(4,1)", "window(4,1)", "full", "drop"]


@pytest.fixture
def opened(tmp_path):
    """The Llama of the families as a folder, opened, and a plan for it."""
    family = next(each for each in SERVED if each.name == "Llama")
    made(family).save_pretrained(tmp_path / "model")
    model = open_pretrained(tmp_path / "model").model
    return model, plan_for(model, [ROW for _ in sites(model)]), batch("none", family)


def test_loads_under_its_plan(opened, tmp_path):
    from transformers import AutoModelForCausalLM

    model, plan, asked = opened
    apply_to_folder(str(tmp_path / "model"), plan, tmp_path / "planned")
    with torch.no_grad():
        dense = model(**asked).logits
        with heedful.applied(model, plan, dense_below=0):
            wanted = model(**asked).logits
        plain = AutoModelForCausalLM.from_pretrained(tmp_path / "planned")
        torch.testing.assert_close(plain(**asked).logits, dense, atol=1e-5, rtol=1e-5)
        loaded = heedful.load(tmp_path / "planned")
        assert loaded.model.layers[0].self_attn.q_proj.out_features == 24
        assert loaded.generate(asked["input_ids"], max_new_tokens=3, do_sample=False).shape == (3, 14)
        heedful.apply(plain, heedful.Plan.load(tmp_path / "planned" / "plan.json"), dense_below=0)
        torch.testing.assert_close(plain(**asked).logits, wanted, atol=1e-5, rtol=1e-5)
    assert "heedful.load" in (tmp_path / "planned" / "HEEDFUL.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "planned"]


def test_refused_before_anything_is_written(opened, tmp_path):
    model, plan, _ = opened
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1
    model.save_pretrained(tmp_path / "other")
    with pytest.raises(UsageError, match="made for the model"):
        apply_to_folder(str(tmp_path / "other"), plan, tmp_path / "planned")
    assert not (tmp_path / "planned").exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="used: "):
            apply_to_folder(str(tmp_path / "model"), plan, tmp_path / "used", overwrite)
    apply_to_folder(str(tmp_path / "model"), plan, tmp_path / "planned")
    with pytest.raises(UsageError, match="holds something"):
        apply_to_folder(str(tmp_path / "model"), plan, tmp_path / "planned")
    apply_to_folder(str(tmp_path / "model"), plan, tmp_path / "planned", overwrite=True)
    assert (tmp_path / "planned" / "plan.json").is_file()
