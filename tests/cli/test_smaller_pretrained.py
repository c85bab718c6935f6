"""Hugging Face folders by the command: compressed and adapted into folders that transformers opens by itself, or one clear line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")
from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402

SMALL: dict[str, Any] = {"vocab_size": 258, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
COMMON = ("--data", "text.txt", "--length", "32", "--threads", "1")


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """A small random Llama with a tokenizer of bytes beside it, and a text to read."""
    chance = random.Random(0)
    (tmp_path / "text.txt").write_text(" ".join("".join(chance.choices("abcdefgh", k=chance.randint(1, 7))) for _ in range(2500)))
    ends = {"num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0}
    save(transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL, **ends)), tmp_path / "llama")
    return tmp_path / "llama"


def save(model: Any, folder: Path) -> None:
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, 0.2) if parameter.dim() > 1 else None
    model.save_pretrained(folder)
    names = ["<s>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, []))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", mask_token="<mask>").save_pretrained(folder)


def test_a_smaller_llama_is_a_llama(heedful: Callable, llama: Path) -> None:
    said = heedful("compress", llama, *COMMON, "--heads", "0.5", "--channels", "0.5", "--out", "small", "--json")
    assert said.code == 0, said.error
    saved = json.loads(said.out)["saved"]
    small = transformers.AutoModelForCausalLM.from_pretrained(llama.parent / "small")
    assert (small.config.num_attention_heads, small.config.num_key_value_heads, small.config.intermediate_size) in ((2, 2, 16), (2, 1, 16))
    assert sum(each.numel() for each in small.parameters()) == saved["parameters"][1] < saved["parameters"][0]
    assert heedful("compress", "small", *COMMON, "--channels", "0.5", "--out", "smaller").code == 0


def test_lora_leaves_a_llama_that_reads_the_text_better(heedful: Callable, llama: Path) -> None:
    pytest.importorskip("peft")
    steps = ("--steps", "20", "--rate", "0.02", "--batch", "4")
    said = heedful("adapt", llama, *COMMON, *steps, "--out", "new", "--json")
    assert said.code == 0, said.error
    assert json.loads(said.out)["after"]["difference"] < -0.2
    assert transformers.AutoModelForCausalLM.from_pretrained(llama.parent / "new").config.num_hidden_layers == 2
    said = heedful("adapt", llama, *COMMON, *steps, "--method", "bottleneck", "--out", "beside", "--json")
    assert said.code == 0, said.error
    assert {path.name for path in (llama.parent / "beside").iterdir()} == {"adapter.safetensors", "adaptation.json"}


def test_what_cannot_be_is_one_line(heedful: Callable, llama: Path, refused: Callable) -> None:
    ends = {"n_embd": 32, "n_layer": 1, "n_head": 4, "vocab_size": 258, "n_positions": 64, "bos_token_id": 0, "eos_token_id": 0}
    save(transformers.GPT2LMHeadModel(transformers.GPT2Config(**ends)), llama.parent / "gpt2")
    refused(heedful("compress", "gpt2", *COMMON, "--heads", "0.5", "--out", "x"), 2, "GPT2LMHeadModel", "--channels")
    refused(heedful("compress", llama, *COMMON, "--int8", "--out", "x"), 2, "--int8", "TorchAoConfig")
    refused(heedful("compress", llama, "--heads", "0.5", "--out", "x"), 2, "--data")
    refused(heedful("adapt", llama, *COMMON, "--method", "budget", "--out", "x"), 2, "budgets", "heedful plan")
    refused(heedful("adapt", llama, *COMMON, "--method", "exits", "--out", "x"), 2, "exits are for transformers of ours")
    refused(heedful("adapt", llama, *COMMON, "--out", str(llama)), 2, "the model itself")
    assert not (llama.parent / "x").exists()
