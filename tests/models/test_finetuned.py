"""A Hugging Face encoder as a classifier of ours: its own states, what learns of it, and a run that does not need its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("transformers")

from heedful.data.tokens import tokenizer_from, tokenizer_state
from heedful.errors import CheckpointError, UsageError
from heedful.models.finetuned import Finetuned, described
from heedful.spec import PretrainedSpec
from models.tiny_bert import save_tiny_bert

ADAPTERS = ("whole", "lora", "prefix", "bottleneck")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_bert(tmp_path_factory.mktemp("bert"))


def classifier(folder: Path, adapter: str = "whole") -> Finetuned:
    if adapter == "lora":
        pytest.importorskip("peft")
    spec, state = described(PretrainedSpec(path=str(folder), adapter=adapter, size=2, labels=("bad", "good")))  # type: ignore[arg-type]
    torch.manual_seed(5)
    model = Finetuned(replace(spec, vocabulary=tokenizer_from(state).size))
    model.begin()
    return model.eval()


def test_its_states_are_the_encoders_own(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    text = "the film was lovely and warm"
    tokenizer, theirs = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(text, return_tensors="pt")
    states = theirs(**batch).last_hidden_state[0, 1:-1].mean(0)
    _, state = described(PretrainedSpec(path=str(folder)))
    ours, model = tokenizer_from(state), classifier(folder)
    ids = ours.encode(text)
    assert ids.tolist() == batch["input_ids"][0, 1:-1].tolist()
    torch.testing.assert_close(model(ids[None]).logits[0], model.head(states), atol=1e-5, rtol=1e-5)
    assert tokenizer_from(tokenizer_state(ours)).encode(text).tolist() == ids.tolist()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_padding_changes_nothing(folder: Path, adapter: str) -> None:
    model = classifier(folder, adapter)
    ids = torch.randint(5, 20, (2, 9))
    out = model(ids, lengths=torch.tensor([4, 9]))
    torch.testing.assert_close(out.logits[:1], model(ids[:1, :4]).logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.pooled.sum(1), torch.ones(2))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_only_what_is_asked_for_learns(folder: Path, adapter: str) -> None:
    model = classifier(folder, adapter).train()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimiser = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.1)
    for _ in range(2):  # the second map of an adapter is zero at first, and so is the gradient of its first
        model(torch.randint(5, 20, (4, 6)), labels=torch.tensor([0, 1, 0, 1])).loss.backward()
        optimiser.step()
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    mark = {"whole": "network.", "lora": "lora_", "prefix": ".prefix.", "bottleneck": ".bottleneck."}[adapter]
    assert any(mark in name for name in changed)
    assert all(mark in name or name.startswith("head.") for name in changed)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_is_the_same_from_its_spec_and_weights(folder: Path, adapter: str) -> None:
    model = classifier(folder, adapter)
    torch.manual_seed(9)
    again = Finetuned(model.spec).eval()
    again.load_state_dict(model.state_dict())
    ids = torch.randint(5, 20, (2, 6))
    assert torch.equal(again(ids).logits, model(ids).logits)


@pytest.mark.parametrize("adapter", ["lora", "bottleneck"])
def test_an_adapter_begins_with_the_model_as_it_is(folder: Path, adapter: str) -> None:
    whole, model = classifier(folder), classifier(folder, adapter)
    model.head.load_state_dict(whole.head.state_dict())
    ids = torch.randint(5, 20, (2, 6))
    torch.testing.assert_close(model(ids).logits, whole(ids).logits, atol=1e-6, rtol=1e-6)


def test_it_shows_what_each_layer_read(folder: Path) -> None:
    out = classifier(folder)(torch.randint(5, 20, (1, 6)), trace=True)
    assert [trace.weights.shape for trace in out.traces] == [(1, 2, 6, 6)] * 2
    assert all(float(trace.weights.detach().sum(-1).max()) < 1.0 for trace in out.traces)  # the marks got their share


def test_what_is_no_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"model\.path is empty"):
        described(PretrainedSpec())
    with pytest.raises(UsageError, match="places 32 tokens beside its marks"):
        described(PretrainedSpec(path=str(folder), context=40))
    with pytest.raises(CheckpointError, match="neither a run nor a Hugging Face model"):
        described(PretrainedSpec(path=str(tmp_path)))
