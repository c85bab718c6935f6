"""Opening Hugging Face models: from a folder, never from a network, and one line for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, ViTConfig, ViTForImageClassification

from heedful.errors import CheckpointError, MissingExtra, Unsupported
from heedful.models.pretrained import is_pretrained, kind_of, open_pretrained

SMALL = {
    "vocab_size": 32,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
}


def saved(folder: Path, dtype: torch.dtype = torch.float32) -> LlamaForCausalLM:
    model = LlamaForCausalLM(LlamaConfig(**SMALL, bos_token_id=0, eos_token_id=1)).to(dtype)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_folder_is_opened_in_the_type_it_was_saved_in(tmp_path: Path, dtype: torch.dtype) -> None:
    model = saved(tmp_path, dtype)
    found = open_pretrained(tmp_path)
    assert (found.kind, found.model.dtype, found.model.training, found.tokenizer) == ("causal", dtype, False, None)
    for name, tensor in model.state_dict().items():
        assert torch.equal(found.model.state_dict()[name], tensor)


def test_the_tokenizer_comes_along(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    saved(tmp_path)
    PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))).save_pretrained(tmp_path)
    tokenizer = open_pretrained(tmp_path).tokenizer
    assert tokenizer is not None
    assert tokenizer("b")["input_ids"] == [1]


def test_what_is_no_whole_model_is_said_in_one_line(tmp_path: Path) -> None:
    def refused(message: str, path: Path | str = tmp_path) -> None:
        with pytest.raises(CheckpointError, match=message) as caught:
            open_pretrained(path)
        assert "\n" not in str(caught.value)

    refused("neither a run nor a Hugging Face model")
    saved(tmp_path)
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    refused("not a whole Hugging Face model")
    weights.unlink()
    refused("model.safetensors is missing")
    weights.write_bytes(whole)
    config.write_text(config.read_text().replace('"num_hidden_layers": 1', '"num_hidden_layers": 2'))
    refused("its weights are not whole: .* are missing, model.layers.1")
    config.write_text("{")
    refused("neither a run nor")
    config.write_text(json.dumps({"model_type": "no-such-kind", "architectures": ["X"]}))
    refused("not a whole Hugging Face model")


def test_a_name_is_looked_up_in_the_cache_only(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no-such/model: no run, no folder, .* hf:no-such/model would download it"):
        open_pretrained("no-such/model")
    with pytest.raises(CheckpointError, match=r"no model of this name in the Hugging Face cache$"):
        open_pretrained(str(tmp_path / "missing"))


def test_models_without_tokens_or_a_head_are_refused(tmp_path: Path) -> None:
    BertModel(BertConfig(**SMALL)).save_pretrained(tmp_path / "headless")
    vision = {name: value for name, value in SMALL.items() if name != "vocab_size"}
    ViTForImageClassification(ViTConfig(**vision, image_size=8, patch_size=4)).save_pretrained(tmp_path / "vision")
    for name, found in (("headless", "BertModel"), ("vision", "ViTForImageClassification")):
        with pytest.raises(Unsupported, match=f"holds {found}: a causal or masked language model"):
            open_pretrained(tmp_path / name)


def test_kinds() -> None:
    assert kind_of("BartForConditionalGeneration") == "seq2seq"
    assert kind_of("BertForSequenceClassification") == "classifier"


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("heedful.models.pretrained.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"needs the package transformers.*heedful\[manage\]"):
        open_pretrained(tmp_path)


def test_a_config_that_names_no_kind_is_another_program_s(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[1]")
    assert not is_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    assert is_pretrained(tmp_path)
