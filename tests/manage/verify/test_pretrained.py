"""Verification of models of Hugging Face: a decoder with grouped heads, and a classifier."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM

from heedful.manage.planning import plan
from heedful.manage.profiling import profile
from heedful.manage.verify.protocol import Protocol
from heedful.manage.verify.verify import verify
from heedful.spec.budget import Budget

HOW = Protocol(probes=1, timed=1)


def louder(model: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 and any(part in name for part in ("attn", "attention", "embed", "head", "classifier")):
                parameter.mul_(8)
    return model.eval()


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_a_decoder_is_judged_applied_and_asked(phase: str) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = louder(LlamaForCausalLM(LlamaConfig(vocab_size=50, **sizes)))
    batches = [{"input_ids": torch.randint(50, (2, 80)), "attention_mask": torch.ones(2, 80, dtype=torch.long)} for _ in range(6)]
    found = profile(model, batches[:1], phase=phase)
    made = plan(found, Budget(operations=0.5, phase=phase))
    report = verify(model, made, batches[1:], 100.0, profile=found, protocol=HOW)
    assert report.kl is not None
    assert report.kl > 0
    assert report.same is not None
    assert report.same < 1e-4
    assert [one.name for one in report.timings] == ["prefill", "decode", "cache"]
    assert report.timings[2].planned < report.timings[2].dense
    assert len(report.probes) == 9
    assert all("slower" in reason for reason in report.reasons)  # as so small a model may be


def test_a_classifier_is_judged_by_its_errors() -> None:
    config = BertConfig(
        vocab_size=50, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_labels=3, is_decoder=False
    )
    model = louder(BertForSequenceClassification(config))
    ids = [torch.randint(50, (8, 40)) for _ in range(9)]
    batches = [{"input_ids": rows, "attention_mask": torch.ones_like(rows)} for rows in ids]
    with torch.no_grad():
        batches = [{**batch, "labels": model(**batch).logits.argmax(-1)} for batch in batches]
    found = profile(model, batches[:1])
    made = plan(found, Budget(operations=0.6))
    none = replace(made, choices=tuple(("drop",) * site.heads for site in made.sites))
    report = verify(model, none, batches[1:], 0.05, profile=found, protocol=replace(HOW, metric="error", timed=0))
    assert report.dense == 0.0  # its own answers
    assert report.each == "example"
    assert report.slices == ()
    assert report.unit.endswith("examples")
    assert report.passed
    assert report.promoted > 0
    assert report.mean <= 0.05
