"""A transformer that writes: causal attention to its own tokens, then attention to what was heard (Dong et al. 2018, ICASSP, §2)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.layers.block import TransformerBlock
from heedful.layers.cache.block import BlockCache
from heedful.layers.embed import TokenEmbedding
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.trace import Trace
from heedful.models.seq2seq.sequence import Writing, looked_up
from heedful.models.speech.speller import Speller, Spelt
from heedful.spec.listener import TransformerSpellerSpec


@final
class TransformerSpellerWriting(Writing):
    """A cache for every block, what was heard and how long each is."""

    def __init__(self, blocks: list[BlockCache], memory: Tensor, lengths: Tensor) -> None:
        self.blocks, self.memory, self.lengths = blocks, memory, lengths

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]; the keys of what was heard, which they share, stay."""
        for block in self.blocks:
            if block.keys is not None:
                block.keys.reorder(index)

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.memory, self.lengths = self.memory.index_select(0, index), self.lengths.index_select(0, index)
        for block in self.blocks:
            block.reorder(index)


@final
class TransformerSpeller(Speller):
    """Embedding, blocks, scores.

    >>> speller = TransformerSpeller(TransformerSpellerSpec(layers=1, heads=2), 8, 5, 0.0).eval()
    >>> ids, memory, lengths = torch.tensor([[4, 1, 2]]), torch.randn(1, 9, 8), torch.tensor([9])
    >>> spelt, writing = speller(ids, memory, lengths, trace=True), speller.begin(memory, lengths)
    >>> with torch.no_grad():
    ...     steps = torch.stack([speller.step(ids[:, t], writing) for t in range(3)], dim=1)
    >>> spelt.traces[0].weights.shape, torch.allclose(steps, spelt.logits, atol=1e-5)
    (torch.Size([1, 2, 3, 9]), True)
    """

    def __init__(self, spec: TransformerSpellerSpec, width: int, vocabulary: int, dropout: float) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        blocks = []
        for _ in range(spec.layers):
            own = MultiHeadAttention(width, spec.heads, mask="causal", position="rope", dropout=dropout)
            cross = MultiHeadAttention(width, spec.heads, dropout=dropout)
            blocks.append(TransformerBlock(own, "gelu", cross=cross, norm="layer", dropout=dropout))
        self.blocks = nn.ModuleList(blocks)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Int[Tensor, "b t"], memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"], trace: bool = False) -> Spelt:
        """All steps at once."""
        x, mask = self.dropout(looked_up(self.embedding, ids)), padding(memory, lengths)
        seen: list[Trace] = []
        for i, block in enumerate(self.blocks):
            if trace:
                x, (_, crossed) = block(x, memory, context_mask=mask, trace=True)
                seen.append(Trace(crossed.weights, f"layer {i + 1}"))
            else:
                x = block(x, memory, context_mask=mask)
        alignment = torch.stack([each.weights.mean(1) for each in seen]).mean(0) if trace else memory.new_zeros(0)
        return Spelt(self.head(self.norm(x)), alignment, tuple(seen))

    def begin(self, memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> TransformerSpellerWriting:
        """Nothing written yet."""
        return TransformerSpellerWriting(
            [block.new_cache() for block in self.blocks if isinstance(block, TransformerBlock)], memory, lengths
        )

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """One more token."""
        assert isinstance(writing, TransformerSpellerWriting)
        x, mask = looked_up(self.embedding, ids[:, None]), padding(writing.memory, writing.lengths)
        for block, held in zip(self.blocks, writing.blocks, strict=True):
            x = block(x, None if held.context.filled else writing.memory, context_mask=mask, cache=held)
        out: Tensor = self.head(self.norm(x))[:, 0]
        return out


def padding(memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> Mask | None:
    """The rule that leaves padding out; None where there is none."""
    return None if bool((lengths == memory.shape[1]).all()) else Padding(lengths)
