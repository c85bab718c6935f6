"""Adapters beside Hugging Face models: LoRA merges into plain transformers models, the others are files that go back to their model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

from heedful.errors import Unsupported  # noqa: E402
from heedful.manage.objective import model_hash  # noqa: E402
from heedful.spec.adapter import AdapterSpec  # noqa: E402
from heedful.train.adapt import lora, pretrained  # noqa: E402
from heedful.train.adapt.files import save_adapter  # noqa: E402
from heedful.train.adapt.learn import Lessons, learn  # noqa: E402

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24, "vocab_size": 19}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def llama() -> transformers.PreTrainedModel:
    torch.manual_seed(1)
    config = transformers.LlamaConfig(**SMALL, **ENDS, num_key_value_heads=2, max_position_embeddings=64)
    model = transformers.LlamaForCausalLM(config).eval()
    for weight in model.parameters():
        weight.data.add_(0.2 * torch.randn_like(weight))
    return model


def gpt2() -> transformers.PreTrainedModel:
    torch.manual_seed(1)
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_embd=16, n_layer=2, n_head=4, vocab_size=19, n_positions=64, **ENDS)
    ).eval()


def text(rows: int = 4) -> dict[str, Tensor]:
    ids = 3 + (torch.randint(16, (rows, 1)) + 3 * torch.arange(12)) % 16
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


def batches() -> Iterator[dict[str, Tensor]]:
    while True:
        yield text()


@pytest.mark.parametrize("made", [llama, gpt2], ids=lambda made: made.__name__)
def test_lora_merges_into_a_plain_model(made: object, tmp_path: Path) -> None:
    model, ids = made(), text()["input_ids"]  # type: ignore[operator]
    names = list(model.state_dict())
    lora.lora(model, 2)
    found = learn(model, lora.learning(model), batches, [text(8)], Lessons(steps=30, rate=2e-2))
    assert found.best < found.before - 0.05
    learnt = model.eval()(ids).logits
    merged = lora.merged(model)
    assert list(merged.state_dict()) == names
    merged.save_pretrained(tmp_path)
    torch.testing.assert_close(type(merged).from_pretrained(tmp_path).eval()(ids).logits, learnt, atol=1e-5, rtol=1e-4)


def test_a_bottleneck_learns_and_goes_back_to_its_model_alone(tmp_path: Path) -> None:
    model, ids = llama(), text()["input_ids"]
    base, exact = model_hash(model), model(ids).logits
    mine = pretrained.insert_bottleneck(model, 4)
    torch.testing.assert_close(model(ids).logits, exact)
    found = learn(model, mine, batches, [text(8)], Lessons(steps=30, rate=3e-2))
    assert found.best < found.before - 0.05
    file = tmp_path / "adapter.safetensors"
    save_adapter(file, AdapterSpec("bottleneck", 4), pretrained.adapter_tensors(model), base)
    assert file.stat().st_size < 20_000
    again = pretrained.attach(llama(), file)
    torch.testing.assert_close(again(ids).logits, model.eval()(ids).logits)
    with pytest.raises(Unsupported, match="made for the model"):
        pretrained.attach(gpt2(), file)


def test_a_prefix_is_peft_s_and_learns() -> None:
    from peft import PeftModel

    model, ids = llama(), text()["input_ids"]
    wrapped = pretrained.prefix(model, 3)
    mine = [each for each in wrapped.parameters() if each.requires_grad]
    found = learn(wrapped, mine, batches, [text(8)], Lessons(steps=30, rate=5e-2))
    assert found.best < found.before
    assert isinstance(wrapped, PeftModel)
    assert wrapped(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.shape == (4, 12, 19)
    bert = transformers.BertForMaskedLM(transformers.BertConfig(**SMALL, pad_token_id=0))
    with pytest.raises(Unsupported, match="BertForMaskedLM"):
        pretrained.prefix(bert, 3)
