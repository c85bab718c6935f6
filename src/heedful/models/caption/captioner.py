"""A transformer decoder that reads the places of a picture by cross-attention (Vaswani et al. 2017, arXiv 1706.03762, §3.2.3).

Pictures and words share the width; between them stands nothing but the cross-attention of every layer that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError
from heedful.layers.block import TransformerBlock
from heedful.layers.cache.block import BlockCache
from heedful.layers.embed import TokenEmbedding
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models import mechanisms
from heedful.models.caption.captioning import Captioning, CaptionOutput
from heedful.models.caption.places import Places
from heedful.models.seq2seq.sequence import Writing, looked_up, loss_of
from heedful.models.seq2seq.transformer import across, block
from heedful.spec.captioner import CaptionerSpec


@final
class CaptionerWriting(Writing):
    """A cache for every block, and the places until the blocks have read them."""

    def __init__(self, blocks: list[BlockCache], memory: Float[Tensor, "b t m"]) -> None:
        self.blocks, self.memory = blocks, memory

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i], of the same picture."""
        for each in self.blocks:
            if each.keys is not None:
                each.keys.reorder(index)

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.memory = self.memory.index_select(0, index)
        for each in self.blocks:
            each.reorder(index)


@final
class Captioner(Captioning):
    """Places, layers over them, and layers of words that read them; one matrix embeds the words and scores the next.

    >>> import torch
    >>> model = Captioner(CaptionerSpec(size=16, channels=1, vocabulary=9, stem=(8, 8), width=16, decoder_layers=2)).eval()
    >>> x, ids = torch.rand(1, 1, 16, 16), torch.tensor([[[3, 9, 4, 5]]])
    >>> out = model(x, ids, trace=True)
    >>> out.logits.shape, out.traces[1].weights.shape
    (torch.Size([1, 1, 4, 10]), torch.Size([1, 4, 4, 16]))
    >>> writing = model.begin(x, ids[:, 0, :1])
    >>> steps = torch.stack([model.step(ids[:, 0, t], writing) for t in (1, 2, 3)], dim=1)
    >>> torch.allclose(steps, out.logits[:, 0, 1:], atol=1e-5)
    True
    """

    def __init__(self, spec: CaptionerSpec) -> None:
        super().__init__(spec)
        self.spec, text = spec, spec.text
        self.limit = mechanisms.limit(text.writer)
        self.places = Places(spec)
        reading = [block(text.reader) for _ in range(spec.layers)]
        writing = [block(text.writer, across(text)) for _ in range(spec.decoder_layers)]
        self.reading, self.writing = nn.ModuleList(reading), nn.ModuleList(writing)
        self.reading_norm, self.writing_norm = norm("layer", spec.width, True), norm("layer", spec.width, True)
        self.embedding = TokenEmbedding(spec.vocabulary + 1, spec.width)
        self.at = mechanisms.places(text.writer)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        glorot([*reading, *writing])

    def read(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b t m"]:
        """The places of pictures."""
        places: Tensor = self.places(self.normal(x))
        for each in self.reading:
            places = each(places)
        read: Tensor = self.reading_norm(places)
        return read

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        ids: Int[Tensor, "b k t"],
        *,
        labels: Int[Tensor, "b k t"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> CaptionOutput:
        """Logits (b, k, t, v + 1), and what else was asked for; see `Captioning`."""
        memory = self.read(x).repeat_interleave(ids.shape[1], 0)
        stream, seen = self.embedded(ids.flatten(0, 1)), list[Trace]()
        for i, each in enumerate(self.writing):
            if trace:
                stream, (_, crossed) = each(stream, memory, trace=True)
                seen.append(Trace(crossed.weights, f"layer {i + 1}"))
            else:
                stream = each(stream, memory)
        logits = self.embedding.logits(self.writing_norm(stream))
        loss = loss_of(logits, None if labels is None else labels.flatten(0, 1), smoothing)
        return CaptionOutput(torch.unflatten(logits, 0, ids.shape[:2]), loss, tuple(seen))

    def embedded(self, ids: Int[Tensor, "b t"], first: int = 0) -> Float[Tensor, "b t m"]:
        """The words with their places in the text, the first of them at `first`."""
        end = first + ids.shape[1]
        if self.limit is not None and end > self.limit:
            raise ShapeError(f"{end} tokens are more than the {self.limit} this model can place: {self.limit} or fewer would work")
        x = looked_up(self.embedding, ids)
        if self.at is not None:
            x = self.at(x, first + ids.new_ones(ids.shape[1]).cumsum(0) - 1)
        return x if self.dropout is None else self.dropout(x)

    def begin(self, x: Float[Tensor, "b c h w"], asked: Int[Tensor, "b p"]) -> CaptionerWriting:
        """Pictures and questions read."""
        writing = CaptionerWriting([each.new_cache() for each in self.blocks], self.read(x))
        if asked.shape[1]:
            self.on(asked, writing)
        return writing

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits after one more token of each text."""
        assert isinstance(writing, CaptionerWriting)
        return self.on(ids[:, None], writing)[:, -1]

    def on(self, ids: Int[Tensor, "b t"], writing: CaptionerWriting) -> Float[Tensor, "b t v"]:
        """The logits after each of some more tokens."""
        stream = self.embedded(ids, writing.blocks[0].length)
        for each, held in zip(self.blocks, writing.blocks, strict=True):
            stream = each(stream, None if held.context.filled else writing.memory, cache=held)
        return self.embedding.logits(self.writing_norm(stream))

    @property
    def blocks(self) -> list[TransformerBlock]:
        """The layers that write."""
        return [each for each in self.writing if isinstance(each, TransformerBlock)]


def glorot(blocks: Sequence[TransformerBlock]) -> None:
    """Draw every matrix of the layers as wide as keeps the stream's size (Glorot & Bengio 2010, §4.2).

    From GPT-2's narrow start the picture was read much later.
    """
    for each in blocks:
        for weight in each.parameters():
            if weight.dim() == 2:
                nn.init.xavier_uniform_(weight)
