"""Every classifier: padding changes nothing, gradients reach every weight, gates and masks are by configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.masks import Window
from heedful.models.classifiers import build_classifier
from heedful.models.encoder import Encoder
from heedful.spec import (
    AttentionSpec,
    BiLSTMSpec,
    ClassifierSpec,
    DecoderSpec,
    EncoderSpec,
    LSTMCNNSpec,
    MechanismSpec,
    NgramSpec,
    SpanSpec,
    SpecError,
    TextCNNSpec,
)

NAMES = ("no", "perhaps", "yes")
ENCODER = EncoderSpec(vocabulary=23, labels=NAMES, context=24, width=16, layers=2, heads=4)
CNN = TextCNNSpec(vocabulary=23, labels=NAMES, context=24, embedding=8, filters=6)
BILSTM = BiLSTMSpec(vocabulary=23, labels=NAMES, context=24, embedding=8, hidden=6)
LSTM_CNN = LSTMCNNSpec(vocabulary=23, labels=NAMES, context=24, embedding=8, hidden=6, filters=8)
SPECS: dict[str, ClassifierSpec] = {
    "encoder": ENCODER,
    "encoder, attention pooling": replace(ENCODER, pooling="attention"),
    "encoder, grouped heads, swiglu": replace(ENCODER, kv_heads=2, mlp="swiglu", norm="rms", bias=False),
    "encoder, window": replace(ENCODER, attention=AttentionSpec(mask=(MechanismSpec("window", {"size": 3, "ahead": 2}),))),
    "encoder, learned places": replace(ENCODER, attention=AttentionSpec(position=MechanismSpec("learned"))),
    "encoder, t5": replace(ENCODER, attention=AttentionSpec(position=MechanismSpec("t5", {"bidirectional": True}))),
    "encoder, additive": replace(ENCODER, attention=AttentionSpec(score=MechanismSpec("additive", {"hidden": 4}))),
    "encoder, spans": replace(ENCODER, attention=AttentionSpec(span=SpanSpec(start=0.2, ramp=4))),
    "text_cnn": CNN,
    "text_cnn, se": replace(CNN, gate=MechanismSpec("se")),
    "bilstm_attention": BILSTM,
    "bilstm_attention, mean": replace(BILSTM, pooling="mean", layers=2),
    "lstm_cnn": LSTM_CNN,
    "ngram_attention": NgramSpec(vocabulary=23, labels=NAMES, context=24, width=4, dropout=0.0),
    "ngram_attention, no keys": NgramSpec(vocabulary=23, labels=NAMES, context=24, width=0),
} | {
    f"{kind}, {gate}": replace(spec, gate=MechanismSpec(gate))
    for kind, spec in (("encoder", ENCODER), ("lstm_cnn", LSTM_CNN))
    for gate in ("se", "lpw", "laa", "eca")
}
LENGTHS = torch.tensor([7, 1, 12])


def stirred(spec: ClassifierSpec) -> torch.nn.Module:
    """A model away from its start, where gates are the identity."""
    model = build_classifier(spec).eval()
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.data.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return model


@pytest.mark.parametrize("name", SPECS)
def test_padding_changes_nothing(name: str) -> None:
    model = stirred(SPECS[name])
    ids = torch.randint(1, 23, (3, 12))
    found = model(ids, lengths=LENGTHS)
    assert found.logits.shape == (3, 3)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(ids[row : row + 1, :length])
        torch.testing.assert_close(found.logits[row : row + 1], alone.logits, atol=2e-5, rtol=2e-5)
        torch.testing.assert_close(found.pooled[row, :length], alone.pooled[0], atol=2e-5, rtol=2e-5)
        assert not found.pooled[row, length:].any()
    torch.testing.assert_close(found.pooled.sum(1), torch.ones(3))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", SPECS)
def test_every_weight_learns(name: str, half: bool) -> None:
    model = stirred(SPECS[name]).train()
    ids, labels = torch.randint(23, (6, 12)), torch.tensor([0, 1, 2, 0, 1, 2])
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        out = model(ids, lengths=torch.tensor([12, 3, 5, 9, 12, 7]), labels=labels)
    torch.testing.assert_close(out.loss, torch.nn.functional.cross_entropy(out.logits.float(), labels))
    out.loss.backward()
    still = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert not still


def test_an_encoder_reads_both_sides() -> None:
    model = stirred(ENCODER)
    ids = torch.randint(1, 23, (1, 8))
    traces = model(ids, trace=True).traces
    assert len(traces) == 2
    assert (traces[0].weights > 0).all()  # every place reads every other, later ones too
    narrow = stirred(SPECS["encoder, window"])
    seen = narrow(ids, trace=True).traces[1].weights[0, 0] > 0
    assert torch.equal(seen, Window(3, 2).dense(8, 8)[0, 0])


def test_an_encoder_of_berts_mini_size_has_its_parameters() -> None:
    spec = EncoderSpec(vocabulary=30522, labels=("0", "1"), width=256, layers=4, heads=4)
    model = Encoder(spec)
    blocks = sum(weight.numel() for weight in model.layers.parameters())
    assert blocks == 4 * (12 * 256 * 256 + 13 * 256)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: build_classifier(DecoderSpec(vocabulary=9)), "a language model: encoder, text_cnn"),
        (lambda: build_classifier(replace(CNN, vocabulary=0)), "needs the tokenizer's size and two classes"),
        (lambda: build_classifier(replace(CNN, labels=())), "needs the tokenizer's size and two classes"),
        (lambda: EncoderSpec(labels=("a",)), "labels: wants two classes"),
        (lambda: EncoderSpec(labels=("a", "a")), "labels: must be told apart"),
        (lambda: EncoderSpec(width=10, heads=3), "heads: 3 heads do not divide"),
        (lambda: EncoderSpec(pooling="max"), "pooling: unknown choice"),  # type: ignore[arg-type]
        (lambda: TextCNNSpec(widths=()), "widths: wants one width"),
        (lambda: SpanSpec(start=1.5), "start: must lie"),
    ],
)
def test_what_cannot_be_built_is_refused(make: object, message: str) -> None:
    with pytest.raises((UsageError, SpecError), match=message):
        make()  # type: ignore[operator]


def test_tokens_that_do_not_fit_are_refused() -> None:
    model = build_classifier(CNN)
    with pytest.raises(ShapeError, match="more than the 24"):
        model(torch.zeros(1, 25, dtype=torch.long))
    with pytest.raises(ShapeError, match="one or more of each row"):
        model(torch.zeros(1, 0, dtype=torch.long))
    with pytest.raises(ShapeError, match="token 99 is not"):
        model(torch.tensor([[99]]))
