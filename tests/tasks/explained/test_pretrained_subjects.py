"""Hugging Face's encoders and decoders, tiny and random, by every method."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

import heedful
from heedful.errors import Unsupported, UsageError
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.interactions import Interactions
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.shapley import Shapley
from heedful.explanations.methods.table import METHODS
from heedful.explanations.rules.rules import Rules
from heedful.tasks.explained.subjects import subject_of
from heedful.tasks.explained.tokens import Tokens

IDS = torch.tensor([3, 1, 4, 1, 5, 9, 2])
SMALL = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
GPT = {"vocab_size": 30, "n_embd": 16, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0}
MADE = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SMALL, num_labels=3)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**GPT)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, num_key_value_heads=2)),
    "gpt2-classes": lambda: GPT2ForSequenceClassification(GPT2Config(**GPT, num_labels=2)),
}


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    made = MADE[request.param]()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


@pytest.mark.parametrize("model", MADE, indirect=True)
def test_every_method_serves_it(model: Any) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for method in (Shapley(orders=1) if isinstance(each, Shapley) else each for each in METHODS):
        found = heedful.explain(model, IDS, method=method)
        assert found.scores.isfinite().all()
        assert len(found.scores) == len(found.tokens)
    assert all(bool((value == before[name]).all()) for name, value in model.state_dict().items())


@pytest.mark.parametrize("model", ["bert", "llama"], indirect=True)
def test_attention_is_what_eager_attention_says(model: Any) -> None:
    subject = subject_of(model, IDS)
    place = 0 if model.config.model_type == "bert" else -1
    assert subject.reading[place] == 1.0
    model.set_attn_implementation("eager")
    with torch.no_grad():
        layers = model(IDS[None], output_attentions=True).attentions
    expected = torch.stack([layer[0, :, place].double().mean(0) for layer in layers]).mean(0)
    # Two kernels in float32: sums of at most 7 x 16 products, twice.
    assert (Attention().scores(subject) - expected).abs().max() < 2 * 112 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("model", ["bert", "gpt2", "llama"], indirect=True)
def test_all_three_rules_of_gim_apply(model: Any) -> None:
    subject = subject_of(model.double(), IDS)
    whole = Interactions().scores(subject)
    for less in (Interactions(temperature=1.0), Interactions(shares=(1.0, 1.0, 1.0))):
        assert (whole - less.scores(subject)).abs().max() > 1e-6
    from heedful.explanations.methods.input_gradient import moved

    unfrozen = moved(subject, subject.features, Rules(False, False, 2.0, (0.25, 0.25, 0.5)))
    assert (whole - unfrozen).abs().max() > 1e-6
    with subject.ruled(Rules(frozen_norms=True)):
        held = subject.of_features(subject.features[None])
    torch.testing.assert_close(held, subject.of_features(subject.features[None]))


@pytest.mark.parametrize("model", ["llama"], indirect=True)
def test_an_answer_of_two_tokens_and_a_contrast(model: Any) -> None:
    subject = subject_of(model, IDS, None, 7, 8)
    assert (subject.answer, subject.contrast) == ("7", "8")
    with torch.no_grad():
        logits = model(IDS[None]).logits[0, -1].double().log_softmax(-1)
    assert float(subject.scored(subject.whole())[0]) == pytest.approx(float(logits[7] - logits[8]), abs=1e-4)
    with pytest.raises(UsageError, match="tokenizer="):
        heedful.explain(model, "a text")


def test_a_gap_is_filled_from_what_stands_around_it() -> None:
    torch.manual_seed(0)
    model = BertForMaskedLM(BertConfig(**SMALL)).eval()
    subject = subject_of(model, IDS, Letters(), 9)
    assert isinstance(subject, Tokens)
    assert subject.names == ("c", "a", "d", "a", "e", "b")  # without the gap
    scores = Occlusion().scores(subject)
    with torch.no_grad():
        whole, less = (model(row[None]).logits[0].log_softmax(-1) for row in (IDS, IDS[1:]))
    gap = int((IDS == 9).nonzero())
    assert float(scores[0]) == pytest.approx(float(whole[gap, 9] - less[gap - 1, 9]), abs=1e-5)


def test_other_models_are_refused_with_what_would_work() -> None:
    with pytest.raises(Unsupported, match="Subject"):
        heedful.explain(torch.nn.Linear(2, 2), IDS)


class Letters:
    """As much of a tokenizer as is asked for: numbers as letters, 9 the gap."""

    mask_token_id, pad_token_id, unk_token_id = 9, 0, None
    all_special_ids = (9,)

    def decode(self, tokens: list[int]) -> str:
        return " abcdefghij"[tokens[0]]
