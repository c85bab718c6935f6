"""A bidirectional LSTM with additive attention over its states (Yang et al. 2016, NAACL, "Hierarchical attention networks", §2.2)."""

from __future__ import annotations

from typing import final

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from heedful.layers.embed import TokenEmbedding
from heedful.layers.pooling import pooling
from heedful.models import mechanisms
from heedful.models.classifier import Classifier, ClassifierOutput, output, real_places
from heedful.models.text_cnn import SPREAD
from heedful.spec.classifier import BiLSTMSpec


@final
class BiLSTM(Classifier):
    """Embedding, LSTM in both directions, a gate if there is one, additive attention over the states, a score for each class.

    >>> import torch
    >>> from heedful.spec import BiLSTMSpec
    >>> model = BiLSTM(BiLSTMSpec(vocabulary=11, labels=("no", "yes"), embedding=8, hidden=4)).eval()
    >>> ids = torch.tensor([[1, 2, 3, 0]])
    >>> out = model(ids, lengths=torch.tensor([3]))
    >>> torch.allclose(out.logits, model(ids[:, :3]).logits, atol=1e-6), out.pooled.shape
    (True, torch.Size([1, 4]))
    """

    def __init__(self, spec: BiLSTMSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.embedding = TokenEmbedding(spec.vocabulary, spec.embedding, pace=spec.pace, still=spec.still)
        nn.init.normal_(self.embedding.weight, std=SPREAD / spec.pace)
        between = spec.dropout if spec.layers > 1 else 0.0
        self.lstm = nn.LSTM(spec.embedding, spec.hidden, spec.layers, batch_first=True, bidirectional=True, dropout=between)
        self.gate = mechanisms.stream_gate(spec.gate, 2 * spec.hidden, spec.context)
        self.pool = pooling(spec.pooling, 2 * spec.hidden)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = output(2 * spec.hidden, len(spec.labels))

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, and the attention over its places."""
        real = real_places(ids, lengths)
        x = self.dropout(self.embed(self.embedding, ids))
        states = recurred(self.lstm, x, None if real is None else lengths)
        states = states if self.gate is None else self.gate(states, mask=real)
        vector, pooled = self.pool(states, real)
        return ClassifierOutput(self.head(self.dropout(vector)), None, (), pooled)


def recurred(lstm: nn.LSTM, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"] | None) -> Float[Tensor, "b t h"]:
    """The states of an LSTM, zero where there is padding; none of it is read."""
    if lengths is None:
        states: Tensor = lstm(x)[0]
        return states
    packed = pack_padded_sequence(x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    states = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]
    return states
