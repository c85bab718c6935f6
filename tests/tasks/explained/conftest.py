"""Models small enough to be held against derivations written out in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from heedful.models.build import build
from heedful.models.classifiers import build_classifier
from heedful.spec import BiLSTMSpec, DecoderSpec, EncoderSpec, LSTMCNNSpec, RecurrentSpec, TextCNNSpec
from heedful.tasks.explained.subjects import subject_of
from heedful.tasks.explained.tokens import Tokens

LABELS = ("no", "maybe", "yes")


def stirred(model: nn.Module) -> nn.Module:
    """Weights large enough that answers differ, in float64."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.15 * torch.randn(parameter.shape, generator=generator))
    return model.double().eval()


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.tensor([3, 1, 4, 1, 5, 9, 2])


@pytest.fixture
def encoder() -> nn.Module:
    torch.manual_seed(0)
    return stirred(
        build_classifier(EncoderSpec(vocabulary=11, labels=LABELS, context=32, width=16, layers=2, heads=4, pooling="attention"))
    )


@pytest.fixture
def decoder() -> nn.Module:
    torch.manual_seed(0)
    return stirred(build(DecoderSpec(vocabulary=11, context=32, width=16, layers=2, heads=4, kv_heads=2)))


CLASSIFIERS = {
    "text_cnn": TextCNNSpec(vocabulary=11, labels=LABELS, embedding=8, filters=5),
    "bilstm": BiLSTMSpec(vocabulary=11, labels=LABELS, embedding=8, hidden=6),
    "lstm_cnn": LSTMCNNSpec(vocabulary=11, labels=LABELS, embedding=8, hidden=6, filters=5),
}


@pytest.fixture
def subject(request: pytest.FixtureRequest, encoder: nn.Module, decoder: nn.Module, ids: torch.Tensor) -> Tokens:
    """The kind of model that a test asks for."""
    kind = request.param
    torch.manual_seed(1)
    if kind == "encoder":
        found = subject_of(encoder, ids)
    elif kind == "decoder":
        found = subject_of(decoder, ids)
    elif kind == "recurrent":
        found = subject_of(stirred(build(RecurrentSpec(vocabulary=11, embedding=8, hidden=8))), ids)
    else:
        found = subject_of(stirred(build_classifier(CLASSIFIERS[kind])), ids)
    assert isinstance(found, Tokens)
    return found


@pytest.fixture
def weights() -> Callable[[Tokens], list[torch.Tensor]]:
    """The weights (h, q, k) of each layer as the model's own traces tell them."""

    def of(subject: Tokens) -> list[torch.Tensor]:
        with torch.no_grad():
            return [trace.weights[0] for trace in subject.reader.model(subject.ids[None], trace=True).traces]

    return of
