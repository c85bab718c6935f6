"""A convolutional classifier of sentences (Kim 2014, arXiv 1408.5882, §2)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from heedful.layers.embed import TokenEmbedding
from heedful.models import mechanisms
from heedful.models.classifier import Classifier, ClassifierOutput, output, real_places
from heedful.spec.classifier import TextCNNSpec

SPREAD = 0.1  # of the embeddings at the start; the convolutions have no norm before them


@final
class TextCNN(Classifier):
    """relu(conv) of each width over the embeddings, the largest value of each filter, dropout, and a score for each class.

    >>> import torch
    >>> from heedful.spec import TextCNNSpec
    >>> model = TextCNN(TextCNNSpec(vocabulary=11, labels=("no", "yes"), embedding=8, filters=4)).eval()
    >>> ids = torch.tensor([[1, 2, 3, 0]])
    >>> torch.allclose(model(ids, lengths=torch.tensor([3])).logits, model(ids[:, :3]).logits, atol=1e-6)
    True
    """

    def __init__(self, spec: TextCNNSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.embedding = TokenEmbedding(spec.vocabulary, spec.embedding, pace=spec.pace, still=spec.still)
        nn.init.normal_(self.embedding.weight, std=SPREAD / spec.pace)
        self.gate = mechanisms.stream_gate(spec.gate, spec.embedding, spec.context)
        self.convolutions = nn.ModuleList(nn.Conv1d(spec.embedding, spec.filters, width) for width in spec.widths)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = output(spec.filters * len(spec.widths), len(spec.labels))

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, and the share of the filters whose largest value stands at each place."""
        real = real_places(ids, lengths)
        x = zeroed(self.embed(self.embedding, ids), real)
        x = x if self.gate is None else self.gate(x, mask=real)
        values, places = zip(*(self.largest(x, real, conv) for conv in self.convolutions), strict=True)
        chosen = torch.cat(places, dim=1)
        pooled = torch.zeros(ids.shape, device=ids.device).scatter_add_(1, chosen, torch.ones_like(chosen, dtype=torch.float))
        return ClassifierOutput(self.head(self.dropout(torch.cat(values, dim=1))), None, (), pooled / chosen.shape[1])

    def largest(self, x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None, conv: nn.Module) -> tuple[Tensor, Tensor]:
        """The largest value (b, f) of each filter at a real place, and the place where it stands."""
        assert isinstance(conv, nn.Conv1d)
        found = conv(pad(x.transpose(1, 2), (0, conv.kernel_size[0] - 1)))
        if real is not None:
            found = found.masked_fill(~real[:, None], -torch.inf)
        values, places = found.max(dim=2)
        return values.relu(), places


def zeroed(x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None) -> Float[Tensor, "b t m"]:
    """Nothing where there is padding."""
    return x if real is None else x * real.unsqueeze(-1)
