"""A transformer that reads a text from both sides and says its class, of any mechanisms of the catalogue.

The stack of Vaswani et al. 2017 (arXiv 1706.03762, §3.1, left half) with norms before each branch, in the sizes of BERT (Devlin et al.
2019, arXiv 1810.04805; Turc et al. 2019, arXiv 1908.08962: Mini is 4 layers, 256 wide, 4 heads).
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.attention.masks.documents import Documents
from heedful.attention.masks.padding import Padding
from heedful.layers.block import TransformerBlock
from heedful.layers.embed import TokenEmbedding
from heedful.layers.norm import norm
from heedful.layers.pooling import pooling
from heedful.layers.trace import Trace
from heedful.models import mechanisms
from heedful.models.classifier import Classifier, ClassifierOutput, output, real_places
from heedful.models.dropping import Left, dropped, received
from heedful.models.early_exit import Exits
from heedful.models.quantise import quantise
from heedful.models.start import start
from heedful.spec.classifier import EncoderSpec
from heedful.spec.dropping import DroppingSpec


@final
class Encoder(Classifier):
    """Embedding, layers, a last norm, one vector of all places, and a score for each class.

    >>> import torch
    >>> from heedful.spec import EncoderSpec
    >>> model = Encoder(EncoderSpec(vocabulary=11, labels=("no", "yes"), context=8, width=16, layers=2, heads=4)).eval()
    >>> ids = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 7]])
    >>> out = model(ids, lengths=torch.tensor([3, 4]), labels=torch.tensor([0, 1]), trace=True)
    >>> out.logits.shape, out.loss.shape, out.traces[1].weights.shape
    (torch.Size([2, 2]), torch.Size([]), torch.Size([2, 4, 4, 4]))
    >>> torch.allclose(out.logits[:1], model(ids[:1, :3]).logits, atol=1e-6)  # padding changes nothing
    True

    Errors: `UsageError` for a vocabulary of 0, fewer than two labels and unknown names, `ShapeError` for more tokens than its context.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        mechanisms.limit(spec)
        self.embedding = TokenEmbedding(spec.vocabulary, spec.width)
        self.places = mechanisms.places(spec)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        blocks = [mechanisms.block(spec.at(layer)) for layer in range(spec.layers)]
        self.layers = nn.ModuleList(blocks)
        self.norm = norm(spec.norm, spec.width, spec.bias)
        self.pool = pooling(spec.pooling, spec.width)
        self.head = output(spec.width, len(spec.labels))
        start(blocks, None)
        if spec.weights == "int8":
            quantise(self)
        self.exits = Exits(spec.exits, spec.width) if spec.exits else None

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, how much each place counted, and with `trace` what each layer read."""
        real = real_places(ids, lengths)
        mask = None if real is None or lengths is None else Padding(lengths)
        x = self.embedded(ids)
        if self.spec.dropping is not None and not trace:
            return self.shortened(self.spec.dropping, x, lengths)
        if self.exits is not None and not (self.training or trace):
            return self.hurried(self.exits, x, lengths)
        traces: list[Trace] = []
        for i, layer in enumerate(self.layers):
            if trace:
                x, (seen,) = layer(x, mask=mask, real=real, trace=True)
                traces.append(Trace(seen.weights, f"layer {i + 1}"))
            else:
                x = layer(x, mask=mask, real=real)
        vector, pooled = self.pool(self.norm(x), real)
        logits = self.head(vector if self.dropout is None else self.dropout(vector))
        return ClassifierOutput(logits, None, tuple(traces), pooled)

    def guess(
        self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, blank: Bool[Tensor, "b t"], places: Int[Tensor, " n"]
    ) -> Float[Tensor, "n vocabulary"]:
        """Scores of every token for some places by the embedding itself, read the other way (Press & Wolf 2017)."""
        real = real_places(ids, lengths)
        mask = None if real is None or lengths is None else Padding(lengths)
        x = self.embed(self.embedding, ids).masked_fill(blank.unsqueeze(-1), 0.0)
        x = x if self.places is None else self.places(x)
        x = x if self.dropout is None else self.dropout(x)
        for layer in self.layers:
            x = layer(x, mask=mask, real=real)
        return self.embedding.logits(self.norm(x).flatten(0, 1)[places])

    def hurried(self, exits: Exits, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"] | None) -> ClassifierOutput:
        """The same where a text leaves after the first exit that is sure of its class; later layers read the others alone."""
        rows, places = torch.arange(len(x), device=x.device), x.shape[1]
        logits, pooled = x.new_zeros(len(x), len(self.spec.labels)), x.new_zeros(len(x), places)
        for number, segment in enumerate(exits.segments(len(self.layers))):
            x, said, weights = self.stretch(exits, number, segment, x, lengths)
            out = exits.sure(said) if number < len(exits.after) else torch.ones(len(x), dtype=torch.bool, device=x.device)
            logits, pooled = logits.index_put((rows[out],), said[out]), pooled.index_put((rows[out],), weights[out].to(pooled.dtype))
            if bool(out.all()):
                break
            rows, x, lengths = rows[~out], x[~out], None if lengths is None else lengths[~out]
        return ClassifierOutput(logits, None, (), pooled)

    def answers(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None) -> list[Float[Tensor, "b c"]]:
        """The logits of every exit and of the end, of whole texts through all layers."""
        assert self.exits is not None
        x, found = self.embedded(ids), []
        for number, segment in enumerate(self.exits.segments(len(self.layers))):
            x, said, _ = self.stretch(self.exits, number, segment, x, lengths)
            found.append(said)
        return found

    def stretch(
        self, exits: Exits, number: int, segment: range, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The stream behind the layers before an exit (or the end), the logits there, and how much each place counted."""
        real = real_places(x[..., 0], lengths)
        mask = None if real is None or lengths is None else Padding(lengths)
        for layer in segment:
            x = self.layers[layer](x, mask=mask, real=real)
        vector, weights = self.pool(self.norm(x if number == len(exits.after) else exits.translated(number, x)), real)
        return x, self.head(vector), weights

    def shortened(self, spec: DroppingSpec, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"] | None) -> ClassifierOutput:
        """The same while tokens are dropped on the way: they stay as they are until the end, and distances count among the others."""
        full = torch.full((len(x),), x.shape[1], device=x.device) if lengths is None else lengths
        left = Left(x, full, torch.arange(x.shape[1], device=x.device).expand(len(x), -1))
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, TransformerBlock)
            real = real_places(left.places, left.lengths)
            mask = None if real is None else Padding(left.lengths) & Documents(real.long())  # padding asks for nothing either
            with received(layer.attention, i + 1 in spec.after) as seen:
                left = left._replace(x=layer(left.x, mask=mask, real=real))
            if seen:
                x, left = left.back(x), dropped(left.x, seen[0], real, spec.keep, left.places)
        vector, pooled = self.pool(self.norm(left.back(x)), real_places(x[..., 0], lengths))
        return ClassifierOutput(self.head(vector if self.dropout is None else self.dropout(vector)), None, (), pooled)

    def embedded(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
        """The tokens' embeddings with their places."""
        x = self.embed(self.embedding, ids)
        x = x if self.places is None else self.places(x)
        return x if self.dropout is None else self.dropout(x)
