"""A transformer that reads a source and writes a target, of any mechanisms of the catalogue (Vaswani et al. 2017, arXiv 1706.03762, §3).

Norms stand before each branch; one matrix embeds both texts and reads the output (§3.4; Press & Wolf 2017, arXiv 1608.05859).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.mechanism import create
from heedful.attention.positions.sinusoidal import Sinusoidal
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.errors import ShapeError
from heedful.layers.block import TransformerBlock
from heedful.layers.cache.block import BlockCache
from heedful.layers.cache.full import KVCache
from heedful.layers.embed import TokenEmbedding
from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models import mechanisms
from heedful.models.seq2seq.pointer import Pointer
from heedful.models.seq2seq.sequence import Seq2Seq, Seq2SeqOutput, Writing, looked_up, loss_of, real_places
from heedful.models.start import WIDTH, draw, start
from heedful.spec.classifier import EncoderSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.seq2seq import Seq2SeqSpec

ROOM = 8  # tokens a cache begins with: beams move all of it at each step, so a buffer mostly empty would be mostly copied for nothing


@final
class TransformerWriting(Writing):
    """A cache for every block that writes, and how long each source is."""

    def __init__(self, blocks: list[BlockCache], source: Tensor, memory: Tensor, lengths: Tensor) -> None:
        self.blocks, self.source, self.memory, self.lengths = blocks, source, memory, lengths

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]; the keys of the source, which they share, stay."""
        for block in self.blocks:
            if block.keys is not None:
                block.keys.reorder(index)
            block.gate = block.gate.reorder(index)

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.source, self.memory, self.lengths = (x.index_select(0, index) for x in (self.source, self.memory, self.lengths))
        for block in self.blocks:
            block.reorder(index)


@final
class Transformer(Seq2Seq):
    """Embedding; layers that read; layers that write, each looking at what was read; scores over the next token.

    >>> import torch
    >>> from heedful.spec.seq2seq import Seq2SeqSpec
    >>> model = Transformer(Seq2SeqSpec(vocabulary=11, context=8, width=16, layers=2, heads=4)).eval()
    >>> source, ids = torch.tensor([[1, 2, 3, 11]]), torch.tensor([[11, 4, 5]])
    >>> out = model(source, torch.tensor([4]), ids, labels=torch.tensor([[4, 5, 11]]), trace=True)
    >>> out.logits.shape, out.loss.shape, out.alignment.shape, out.traces[1].weights.shape
    (torch.Size([1, 3, 12]), torch.Size([]), torch.Size([1, 3, 4]), torch.Size([1, 4, 3, 4]))
    >>> writing = model.begin(source, torch.tensor([4]))
    >>> steps = torch.stack([model.step(ids[:, t], writing) for t in range(3)], dim=1)
    >>> torch.allclose(steps, out.logits, atol=1e-5)
    True

    Errors: `UsageError` for a vocabulary of 0 and unknown names, `ShapeError` for more tokens than it can place.
    """

    def __init__(self, spec: Seq2SeqSpec) -> None:
        super().__init__(spec.vocabulary, spec.context)
        self.spec = spec
        reader, writer = spec.reader, spec.writer
        self.limit = mechanisms.limit(writer)
        self.embedding = TokenEmbedding(spec.vocabulary + 1, spec.width)
        self.places = mechanisms.places(writer)
        # Waves of height one would drown embeddings that start at 0.02 (Vaswani et al. 2017, §3.4).
        self.scale = spec.width**0.5 if isinstance(self.places, Sinusoidal) else None
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        reading = [block(reader) for _ in range(spec.layers)]
        writing = [block(writer, across(spec)) for _ in range(spec.writing)]
        self.reading, self.reading_norm = nn.ModuleList(reading), norm(spec.norm, spec.width, spec.bias)
        self.writing, self.writing_norm = nn.ModuleList(writing), norm(spec.norm, spec.width, spec.bias)
        self.head = None if spec.tied else nn.Linear(spec.width, spec.vocabulary + 1, bias=False)
        self.pointer = Pointer(spec.width) if spec.copy else None
        start(reading, None)
        start(writing, self.head)
        start_across(writing)

    def forward(
        self,
        source: Int[Tensor, "b s"],
        lengths: Int[Tensor, " b"],
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> Seq2SeqOutput:
        """Logits (b, t, v + 1), and what else was asked for; see `Seq2Seq`."""
        real = real_places(source, lengths)
        memory = self.read(source, lengths, real)
        x, seen = self.embedded(ids), []
        mask = None if real is None else Padding(lengths)
        for i, layer in enumerate(self.writing):
            if trace or (self.pointer is not None and i == len(self.writing) - 1):
                x, (_, crossed) = layer(x, memory, context_mask=mask, trace=True)
                seen.append(Trace(crossed.weights, f"layer {i + 1}"))
            else:
                x = layer(x, memory, context_mask=mask)
        logits = self.said(self.writing_norm(x), seen, source)
        alignment = torch.stack([each.weights.mean(1) for each in seen]).mean(0) if trace else None
        return Seq2SeqOutput(logits, loss_of(logits, labels, smoothing), alignment, tuple(seen) if trace else ())

    def read(self, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], real: Bool[Tensor, "b s"] | None) -> Float[Tensor, "b s m"]:
        """What the sources come to."""
        mask = None if real is None else Padding(lengths)
        x = self.embedded(source)
        for layer in self.reading:
            x = layer(x, mask=mask, real=real)
        read: Tensor = self.reading_norm(x)
        return read

    def said(self, x: Float[Tensor, "b t m"], seen: Sequence[Trace], source: Int[Tensor, "b s"]) -> Float[Tensor, "b t v"]:
        """The scores of a stream that is normed, the source's tokens mixed in where the model copies."""
        logits: Tensor = self.embedding.logits(x) if self.head is None else self.head(x)
        return logits if self.pointer is None else self.pointer(x, logits, seen[-1].weights.mean(1), source)

    def embedded(self, ids: Int[Tensor, "b t"], first: int = 0) -> Float[Tensor, "b t m"]:
        """The tokens' embeddings with their places, the first of them at `first`."""
        end = first + ids.shape[1]
        if self.limit is not None and end > self.limit:
            raise ShapeError(f"{end} tokens are more than the {self.limit} this model can place: {self.limit} or fewer would work")
        x = looked_up(self.embedding, ids)
        x = x if self.scale is None else x * self.scale
        if self.places is not None:
            x = self.places(x, torch.arange(first, end, device=ids.device)) if first else self.places(x)
        return x if self.dropout is None else self.dropout(x)

    def begin(self, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"]) -> TransformerWriting:
        """The sources read, and nothing written."""
        memory = self.read(source, lengths, real_places(source, lengths))
        blocks = [layer.new_cache() for layer in self.blocks]
        for each in blocks:
            if isinstance(each.keys, KVCache):
                each.keys.capacity = ROOM
        return TransformerWriting(blocks, source, memory, lengths)

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits after one more token of each target."""
        assert isinstance(writing, TransformerWriting)
        x = self.embedded(ids[:, None], writing.blocks[0].length)
        mask: Mask | None = None if bool((writing.lengths == writing.memory.shape[1]).all()) else Padding(writing.lengths)
        seen: list[Trace] = []
        for i, (layer, held) in enumerate(zip(self.blocks, writing.blocks, strict=True)):
            context = None if held.context.filled else writing.memory
            if self.pointer is not None and i == len(writing.blocks) - 1:
                x, (_, crossed) = layer(x, context, context_mask=mask, cache=held, trace=True)
                seen.append(crossed)
            else:
                x = layer(x, context, context_mask=mask, cache=held)
        return self.said(self.writing_norm(x), seen, writing.source)[:, 0]

    @property
    def blocks(self) -> list[TransformerBlock]:
        """The layers that write."""
        return [layer for layer in self.writing if isinstance(layer, TransformerBlock)]


def block(spec: EncoderSpec | DecoderSpec, cross: MultiHeadAttention | None = None) -> TransformerBlock:
    """One layer that reads, or, with a `cross`, one that writes."""
    return TransformerBlock(
        mechanisms.attention(spec),
        mlp(spec.mlp, spec.width, spec.inner, spec.bias),
        cross=cross,
        gate=mechanisms.gate(spec),
        norm=spec.norm,
        norm_bias=spec.bias,
        dropout=spec.dropout,
    )


def across(spec: Seq2SeqSpec) -> MultiHeadAttention:
    """The attention of a target to its source."""
    chosen, shape = spec.cross, mechanisms.shape_of(spec.writer)
    return MultiHeadAttention(
        spec.width,
        spec.heads,
        kv_heads=spec.kv_heads,
        bias=spec.bias,
        score=create("score", SCORES, chosen.score.name, shape, chosen.score.options),
        weighting=create("weighting", WEIGHTINGS, chosen.weighting.name, shape, chosen.weighting.options),
        softcap=chosen.softcap,
        sinks=chosen.sinks,
        temperature=chosen.temperature,
        qk_norm=chosen.qk_norm,
        dropout=chosen.dropout,
        backend=chosen.backend,
    )


def start_across(blocks: Sequence[TransformerBlock]) -> None:
    """Draw the matrices that look across as `start` draws the others."""
    for each in blocks:
        assert each.cross is not None
        assert each.cross.in_proj_weight is not None
        draw(each.cross.in_proj_weight, None, WIDTH)
        draw(each.cross.out_proj.weight, each.cross.out_proj.bias, WIDTH / (2 * len(blocks)) ** 0.5)
