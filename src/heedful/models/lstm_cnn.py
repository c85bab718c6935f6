"""An LSTM whose states convolutions read, with a gate between them if asked: the article's SE claim, to be tested (docs/articles.md)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Int
from torch import Tensor, nn

from heedful.layers.embed import TokenEmbedding
from heedful.models import mechanisms
from heedful.models.bilstm import recurred
from heedful.models.classifier import Classifier, ClassifierOutput, output, real_places
from heedful.models.text_cnn import SPREAD, zeroed
from heedful.spec.classifier import LSTMCNNSpec


@final
class LSTMCNN(Classifier):
    """Embedding, LSTM, then relu(conv) with a gate after each, the largest value of each filter, and a score for each class.

    >>> import torch
    >>> from heedful.spec import LSTMCNNSpec, MechanismSpec
    >>> spec = LSTMCNNSpec(vocabulary=11, labels=("no", "yes"), embedding=8, hidden=4, filters=6, gate=MechanismSpec("se"))
    >>> model = LSTMCNN(spec).eval()
    >>> ids = torch.tensor([[1, 2, 3, 0]])
    >>> torch.allclose(model(ids, lengths=torch.tensor([3])).logits, model(ids[:, :3]).logits, atol=1e-6)
    True
    """

    def __init__(self, spec: LSTMCNNSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.embedding = TokenEmbedding(spec.vocabulary, spec.embedding, pace=spec.pace, still=spec.still)
        nn.init.normal_(self.embedding.weight, std=SPREAD / spec.pace)
        self.lstm = nn.LSTM(spec.embedding, spec.hidden, batch_first=True)
        widths = [spec.hidden] + [spec.filters] * (spec.convolutions - 1)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, spec.filters, spec.size, padding="same") for width in widths)
        gates = [mechanisms.stream_gate(spec.gate, spec.filters, spec.context) for _ in widths]
        self.gates = nn.ModuleList(gate for gate in gates if gate is not None)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = output(spec.filters, len(spec.labels))

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, and the share of the filters whose largest value stands at each place."""
        real = real_places(ids, lengths)
        x = recurred(self.lstm, self.dropout(self.embed(self.embedding, ids)), None if real is None else lengths)
        for i, conv in enumerate(self.convolutions):
            x = zeroed(conv(x.transpose(1, 2)).relu().transpose(1, 2), real)
            x = self.gates[i](x, mask=real) if len(self.gates) else x
        values, places = (x if real is None else x.masked_fill(~real.unsqueeze(-1), -torch.inf)).max(dim=1)
        pooled = torch.zeros(ids.shape, device=ids.device).scatter_add_(1, places, torch.ones_like(places, dtype=torch.float))
        return ClassifierOutput(self.head(self.dropout(values)), None, (), pooled / places.shape[1])
