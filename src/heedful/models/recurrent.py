"""The recurrent language model: an LSTM that attends to its own earlier states (after Cheng et al. 2016, arXiv 1601.06733,
and Luong et al. 2015, arXiv 1508.04025, equation 5, with the past in the source sentence's place).
"""

from __future__ import annotations

from typing import final

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.attention.mechanism import Shape, create
from heedful.attention.scores.biased import Biased
from heedful.attention.scores.query_biased import QueryBiased
from heedful.attention.scores.score import Score
from heedful.attention.scores.table import SCORES
from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.layers.trace import Trace
from heedful.models.adaptive import AdaptiveHead
from heedful.models.language_model import DecoderOutput, Decoding, LanguageModel, judged, looked_up, next_token_loss
from heedful.spec.model import RecurrentSpec

Memory = tuple[Tensor, Tensor, Tensor]
PAST = Causal() & ~Window(1)  # strictly before: the state itself stands beside what it read


@final
class RecurrentDecoding(Decoding):
    """The LSTM's state, and the past states (all, or the last `window`) that attention reads."""

    def __init__(self, window: int | None = None) -> None:
        if window is not None and window < 1:
            raise UsageError(f"a window of {window} past states leaves nothing to attend to: 1 or more would work")
        self.window = window
        self.memory: Memory | None = None

    def keep(self, memory: Memory, tokens: int) -> None:
        """Go on from `memory`, `tokens` further."""
        h, c, past = memory
        self.memory = (h, c, past if self.window is None else past[:, -self.window :])
        self.length += tokens

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self.memory is not None:
            h, c, past = self.memory
            self.memory = (h.index_select(1, index), c.index_select(1, index), past.index_select(0, index))

    def reset(self) -> None:
        """Forget everything."""
        self.length, self.memory = 0, None


@final
class RecurrentLM(LanguageModel):
    """h_t = LSTM(e_t);  c_t = Σ_{j<t} a_tj h_j;  p(next) = softmax(W_o tanh(W_c [c_t; h_t])).

    Without attention the second step is left out and the output reads h_t. A memory holds the LSTM's state and the last
    `context` past states, so attention reaches across segments.

    >>> import torch
    >>> from heedful.spec import RecurrentSpec
    >>> model = RecurrentLM(RecurrentSpec(vocabulary=11, embedding=8, hidden=16))
    >>> out = model(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[2, 3, 4]]), trace=True)
    >>> out.logits.shape, out.loss.shape, out.traces[0].weights.shape
    (torch.Size([1, 3, 11]), torch.Size([]), torch.Size([1, 1, 3, 3]))

    Errors: `UsageError` for a vocabulary of 0, and for a tied output where the widths differ and nothing stands between.
    """

    def __init__(self, spec: RecurrentSpec) -> None:
        super().__init__()
        check(spec)
        self.spec, self.vocabulary, self.context = spec, spec.vocabulary, spec.context
        self.embedding = TokenEmbedding(spec.vocabulary, spec.embedding)
        between = spec.dropout if spec.layers > 1 else 0.0
        self.lstm = nn.LSTM(spec.embedding, spec.hidden, spec.layers, batch_first=True, dropout=between)
        width = spec.embedding if spec.tied else spec.hidden
        self.score = score_of(spec)
        self.limit = spec.context if isinstance(self.score, Biased | QueryBiased) else None
        self.mix = nn.Linear(2 * spec.hidden, width) if self.score is not None else None
        self.head = None if spec.tied or spec.adaptive else nn.Linear(spec.hidden, spec.vocabulary)
        self.clusters = AdaptiveHead(spec.hidden, spec.vocabulary, spec.adaptive) if spec.adaptive else None
        self.dropout = nn.Dropout(spec.dropout)

    def forward(
        self,
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        cache: RecurrentDecoding | None = None,
        memory: Memory | None = None,
        trace: bool = False,
    ) -> DecoderOutput:
        """Logits (b, t, v), and what else was asked for; see `LanguageModel`."""
        memory = memory if cache is None else cache.memory
        state = None if memory is None else (memory[0], memory[1])
        states, (h, c) = self.lstm(self.dropout(looked_up(self.embedding, ids)), state)
        past = states if memory is None else torch.cat([memory[2].to(states.dtype), states], dim=1)
        read, traces = self.attended(states, past, trace, cache)
        logits, loss = self.scored(self.dropout(read), labels)
        if cache is not None:
            cache.keep((h, c, past), ids.shape[1])
        kept = (h.detach(), c.detach(), past[:, -self.context :].detach())
        return DecoderOutput(logits, loss, traces, kept)

    def scored(self, out: Float[Tensor, "b t w"], labels: Int[Tensor, "b t"] | None) -> tuple[Float[Tensor, "b t v"], Tensor | None]:
        """The logits, and the loss where there are labels."""
        if self.clusters is not None:
            return judged(out, labels, self.clusters, self.training)
        logits: Tensor = self.embedding.logits(out) if self.head is None else self.head(out)
        return logits, next_token_loss(logits, labels)

    def attended(
        self, states: Float[Tensor, "b t h"], past: Float[Tensor, "b k h"], trace: bool, cache: RecurrentDecoding | None
    ) -> tuple[Float[Tensor, "b t w"], tuple[Trace, ...]]:
        """The states together with what they read in the past ones."""
        if self.score is None or self.mix is None:
            return states, ()
        q, k = rearrange(states, "b t h -> b 1 t h"), rearrange(past, "b k h -> b 1 k h")
        mask: Mask = PAST if cache is None or cache.window is None else PAST & Window(cache.window + 1)
        traces: tuple[Trace, ...] = ()
        if trace:
            out, weights = attend(q, k, k, score=self.score, mask=mask, return_weights=True)
            traces = (Trace(weights, "past states"),)
        else:
            out = attend(q, k, k, score=self.score, mask=mask)
        return torch.tanh(self.mix(torch.cat([rearrange(out, "b 1 t h -> b t h"), states], dim=-1))), traces

    def new_cache(self, window: int | None = None, sinks: int = 0) -> RecurrentDecoding:
        """An empty cache; `window` is how many past states attention may read."""
        if sinks:
            raise UsageError(f"sinks={sinks} are first tokens that a transformer's window keeps: a recurrent model has none")
        return RecurrentDecoding(window)


def score_of(spec: RecurrentSpec) -> Score | None:
    """The score between a state and the past ones; a segment's memory doubles the keys."""
    if spec.attention is None:
        return None
    shape = Shape(heads=1, kv_heads=1, d=spec.hidden, q=spec.context, k=2 * spec.context)
    return create("score", SCORES, spec.attention.name, shape, spec.attention.options)


def check(spec: RecurrentSpec) -> None:
    """What only a whole spec can tell."""
    if spec.vocabulary < 1:
        raise UsageError(f"model.vocabulary is {spec.vocabulary}: a model needs the tokenizer's size")
    if spec.tied and spec.attention is None and spec.embedding != spec.hidden:
        raise UsageError(
            f"model.tied shares the embedding ({spec.embedding} wide) with an output that reads {spec.hidden}: "
            "equal widths, attention in between, or tied: false would work"
        )
