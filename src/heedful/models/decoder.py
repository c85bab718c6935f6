"""A transformer that reads left to right, of any mechanisms of the catalogue.

RMSNorm, RoPE, SwiGLU and grouped heads as in Llama (Touvron et al. 2023, arXiv 2302.13971); LayerNorm, GELU and learned
positions as in GPT-2 (Radford et al. 2019), whose start it takes; a memory of the segment before as in Transformer-XL
(Dai et al. 2019, arXiv 1901.02860).
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.layers.adapters.insert import insert
from heedful.layers.block import TransformerBlock
from heedful.layers.cache.block import BlockCache
from heedful.layers.embed import TokenEmbedding
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models import early_exit, mechanisms
from heedful.models.adaptive import AdaptiveHead
from heedful.models.early_exit import Exits
from heedful.models.language_model import DecoderOutput, Decoding, LanguageModel, judged, looked_up, next_token_loss
from heedful.models.quantise import quantise
from heedful.models.start import start
from heedful.spec.model import DecoderSpec

Memory = tuple[Tensor, ...]


@final
class DecoderCache(Decoding):
    """A cache for every block."""

    def __init__(self, blocks: list[BlockCache], exits: int = 0) -> None:
        self.blocks = blocks
        self.waiting: list[Tensor | None] = [None] * (exits + 1)  # who left before each segment, and has to catch up

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        self.waiting = [None if held is None else held.index_select(0, index) for held in self.waiting]
        for block in self.blocks:
            block.reorder(index)

    def reset(self) -> None:
        """Forget everything."""
        self.length, self.waiting = 0, [None] * len(self.waiting)
        for block in self.blocks:
            block.reset()


@final
class Decoder(LanguageModel):
    """Embedding, layers, a last norm, and scores over the next token.

    >>> import torch
    >>> from heedful.spec import DecoderSpec
    >>> model = Decoder(DecoderSpec(vocabulary=11, context=8, width=16, layers=2, heads=4, kv_heads=2))
    >>> out = model(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[2, 3, 4]]), trace=True)
    >>> out.logits.shape, out.loss.shape, out.traces[1].weights.shape
    (torch.Size([1, 3, 11]), torch.Size([]), torch.Size([1, 4, 3, 3]))

    Errors: `UsageError` for a vocabulary of 0 and unknown names, `ShapeError` for more tokens than it can place and for
    tokens that are not in its vocabulary.
    """

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        if spec.vocabulary < 1:
            raise UsageError(f"model.vocabulary is {spec.vocabulary}: a model needs the tokenizer's size")
        self.spec, self.vocabulary, self.context = spec, spec.vocabulary, spec.context
        self.limit, self.memory = mechanisms.limit(spec), spec.memory
        self.embedding = TokenEmbedding(spec.vocabulary, spec.width)
        self.places = mechanisms.places(spec)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        blocks = [mechanisms.block(spec.at(layer)) for layer in range(spec.layers)]
        self.layers = nn.ModuleList(blocks)
        self.norm = norm(spec.norm, spec.width, spec.bias)
        self.head = None if spec.tied or spec.adaptive else nn.Linear(spec.width, spec.vocabulary, bias=False)
        self.clusters = AdaptiveHead(spec.width, spec.vocabulary, spec.adaptive) if spec.adaptive else None
        start(blocks, self.head)
        if spec.weights == "int8":
            quantise(self)
        if spec.adapter is not None:
            insert(self, spec.adapter)
        self.exits = Exits(spec.exits, spec.width) if spec.exits else None

    @property
    def reach(self) -> int:
        """How far back each layer looked in training."""
        return self.context + self.memory

    def forward(
        self,
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        cache: DecoderCache | None = None,
        memory: Memory | None = None,
        trace: bool = False,
    ) -> DecoderOutput:
        """Logits (b, t, v), and what else was asked for; see `LanguageModel`."""
        if cache is not None and memory is not None:
            raise Unsupported("cache= and memory= both hold the past: one of them would work")
        x = self.embedded(ids, 0 if cache is None else cache.length)
        if self.exits is not None and not (self.training or trace):
            return self.hurried(self.exits, x, labels, cache)
        entered: list[Tensor] = []
        traces: list[Trace] = []
        for i, layer in enumerate(self.layers):
            past = None if memory is None else memory[i]
            held = None if cache is None else cache.blocks[i]
            entered.append(x)
            if trace:
                x, (seen,) = layer(x, past=past, cache=held, trace=True)
                traces.append(Trace(seen.weights, f"layer {i + 1}"))
            else:
                x = layer(x, past=past, cache=held)
        if cache is not None:
            cache.length += ids.shape[1]
        logits, loss = self.scored(self.norm(x), labels)
        return DecoderOutput(logits, loss, tuple(traces), self.kept(entered, memory))

    def hurried(self, exits: Exits, x: Float[Tensor, "b t m"], labels: Tensor | None, cache: DecoderCache | None) -> DecoderOutput:
        """The logits of tokens that may leave early; without a cache every layer is computed, and who would have left is known."""
        if cache is None:
            logits = early_exit.chosen(exits, early_exit.full(exits, self.layers, x, self.said))
        else:
            logits = early_exit.step(exits, self.layers, cache.blocks, cache.waiting, x, self.said)
            cache.length += x.shape[1]
        return DecoderOutput(logits, next_token_loss(logits, labels))

    def said(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t v"]:
        """The logits of a stream that has not been normed."""
        return self.scored(self.norm(x), None)[0]

    def embedded(self, ids: Int[Tensor, "b t"], first: int) -> Float[Tensor, "b t m"]:
        """The tokens' embeddings with their places, the first of them at `first`."""
        x = looked_up(self.embedding, ids)
        end = first + ids.shape[1]
        if self.limit is not None and end > self.limit:
            raise ShapeError(f"{end} tokens are more than the {self.limit} this model can place: {self.limit} or fewer would work")
        if self.places is not None:
            x = self.places(x, torch.arange(first, end, device=ids.device)) if first else self.places(x)
        return x if self.dropout is None else self.dropout(x)

    def scored(self, x: Float[Tensor, "b t m"], labels: Int[Tensor, "b t"] | None) -> tuple[Float[Tensor, "b t v"], Tensor | None]:
        """The logits, and the loss where there are labels."""
        if self.clusters is not None:
            return judged(x, labels, self.clusters, self.training)
        logits: Tensor = self.embedding.logits(x) if self.head is None else self.head(x)
        return logits, next_token_loss(logits, labels)

    def kept(self, entered: list[Tensor], memory: Memory | None) -> Memory | None:
        """The latest `memory` places of the stream that entered each layer, without gradient."""
        if self.memory == 0:
            return None
        before = memory if memory is not None else [x[:, :0] for x in entered]
        return tuple(torch.cat([old, x], dim=1)[:, -self.memory :].detach() for old, x in zip(before, entered, strict=True))

    def new_cache(self, window: int | None = None, sinks: int = 0) -> DecoderCache:
        """An empty cache for every block; scores that look keys up by their place keep all keys, up to the model's limit."""
        if mechanisms.placed_score(self.spec):
            window = None
        if sinks and window is None:
            raise UsageError(
                f"sinks={sinks} stand beside a window, and there is none: the score {self.spec.attention.score.name} needs every key"
            )
        blocks = [layer for layer in self.layers if isinstance(layer, TransformerBlock)]
        caches = [layer.new_cache(window, sinks) for layer in blocks]
        return DecoderCache(caches, 0 if self.exits is None else len(self.exits.after))
