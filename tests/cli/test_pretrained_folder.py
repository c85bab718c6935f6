"""The manager's commands on Hugging Face folders, as a user meets them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForMaskedLM,
    FalconConfig,
    FalconForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from cli.conftest import Heedful
from heedful.manage.plan import Plan
from heedful.manage.prices.work import Setting

SMALL: dict[str, Any] = {"vocab_size": 260, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = {
    **SMALL,
    "intermediate_size": 32,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Any], Path]:
    """Saves a model with a tokenizer of bytes beside it, and a text to read."""

    def stub(kind: object, options: list[Any], setting: Setting) -> list[Any]:
        return [tuple((heads, 0.1 + heads * option.attended(setting.length) * 1e-3) for heads in (1, 2)) for option in options]

    monkeypatch.setattr("heedful.manage.prices.prices.measured", stub)
    monkeypatch.setattr("heedful.manage.prices.store.folder", lambda: tmp_path / "prices")
    chance = random.Random(0)
    (tmp_path / "text.txt").write_text(" ".join("".join(chance.choices("abcdefgh", k=chance.randint(1, 7))) for _ in range(900)))

    def saved(model: Any) -> Path:
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.2) if parameter.dim() > 1 else None
        model.save_pretrained(tmp_path / "model")
        names = ["<s>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
        made = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, []))
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", mask_token="<mask>").save_pretrained(tmp_path / "model")
        return tmp_path / "model"

    return saved


def test_a_llama_is_profiled_planned_judged_and_written(heedful: Heedful, folder: Callable[[Any], Path]) -> None:
    path = folder(LlamaForCausalLM(LlamaConfig(**LLAMA)))
    common = ("--data", "text.txt", "--threads", "1")
    profiled = heedful("profile", path, *common, "--length", "32", "--sample", "2", "--out", "profile.json")
    assert profiled.code == 0, profiled.error
    planned = heedful("plan", path, *common, "--profile", "profile.json", "--operations", "0.6")
    assert planned.code == 0, planned.error
    plan = Plan.load("plan.json")
    assert plan.predicted.operations <= 0.6 * plan.dense.operations
    judged = heedful(
        "verify", path, *common, "--plan", "plan.json", "--epsilon", "9", "--limit", "20", "--timed", "0", "--out", "report.json"
    )
    assert judged.code == 0, judged.error
    assert json.loads(Path("report.json").read_text())["passed"]
    written = heedful("apply", path, "--plan", "plan.json", "--out", "planned")
    assert written.code == 0, written.error
    before, after = (AutoModelForCausalLM.from_pretrained(each).state_dict() for each in (path, "planned"))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_encoder_is_profiled_and_planned(heedful: Heedful, folder: Callable[[Any], Path]) -> None:
    path = folder(BertForMaskedLM(BertConfig(**SMALL, intermediate_size=32, max_position_embeddings=64)))
    said = heedful("plan", path, "--data", "text.txt", "--length", "32", "--operations", "0.6", "--threads", "1")
    assert said.code == 0, said.error
    plan = Plan.load("plan.json")
    assert plan.dense.operations == 2 * 4 * 2 * 32 * 32 * 16  # sites, heads, two products, all pairs, widths of key and value
    assert plan.predicted.operations <= 0.6 * plan.dense.operations


def test_what_cannot_be_managed_is_said_in_one_line(heedful: Heedful, folder: Callable[[Any], Path], refused: Callable[..., None]) -> None:
    path = folder(FalconForCausalLM(FalconConfig(**SMALL)))
    common = ("--length", "32", "--threads", "1")
    refused(
        heedful("profile", path, "--data", "text.txt", *common), 2, "FalconForCausalLM: its attention cannot be managed", "code of its own"
    )
    refused(heedful("profile", path, *common), 2, "--data names what it is measured on")
    refused(heedful("profile", "no-such-model", "--data", "text.txt", *common), 1, "no model of this name in the Hugging Face cache")
    refused(heedful("plan", path, "--data", "none.txt", "--operations", "0.5", *common), 1, "no text at 'none.txt'")
