"""Show, attend and tell: before each word a recurrent state looks at the places of the picture (Xu et al. 2015, arXiv 1502.03044).

Additive scores of each place (eq. 4 to 6, soft attention of §4.2), a gate on what was seen (β, §4.2.1), a deep output (eq. 7), and the
doubly stochastic penalty λ Σ_i (1 − Σ_t α_ti)² (eq. 14, here its mean over the places, so that λ does not depend on their number).
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.embed import TokenEmbedding
from heedful.layers.recurrent.reader import Reader
from heedful.layers.recurrent.state import DecoderState, network
from heedful.layers.trace import Trace
from heedful.models.caption.captioning import Captioning, CaptionOutput
from heedful.models.caption.places import Places
from heedful.models.seq2seq.sequence import Writing, looked_up, loss_of
from heedful.spec.captioner import ShowAttendTellSpec


class Looked(NamedTuple):
    """The state after some tokens, its output after each, what each saw under the gate, and the weights."""

    state: DecoderState
    out: Float[Tensor, "b t n"]
    seen: Float[Tensor, "b t m"]
    weights: Float[Tensor, "b t s"]


@final
class TellingWriting(Writing):
    """The places, and the writer's state."""

    def __init__(self, memory: Float[Tensor, "b s m"], state: DecoderState) -> None:
        self.memory, self.state = memory, state

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i], of the same picture."""
        self.state = self.state.reorder(index)

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.state, self.memory = self.state.reorder(index), self.memory.index_select(0, index)


@final
class ShowAttendTell(Captioning):
    """Places; a state that begins with their mean; for each token a look, a gate, a step and scores of the next token.

    >>> model = ShowAttendTell(ShowAttendTellSpec(size=16, channels=1, vocabulary=9, stem=(8, 8), width=16, hidden=8)).eval()
    >>> x, ids = torch.rand(1, 1, 16, 16), torch.tensor([[[3, 9, 4, 5]]])
    >>> out = model(x, ids, trace=True)
    >>> out.logits.shape, out.traces[0].weights.shape
    (torch.Size([1, 1, 4, 10]), torch.Size([1, 1, 4, 16]))
    >>> writing = model.begin(x, ids[:, 0, :1])
    >>> steps = torch.stack([model.step(ids[:, 0, t], writing) for t in (1, 2, 3)], dim=1)
    >>> torch.allclose(steps, out.logits[:, 0, 1:], atol=1e-5)
    True
    """

    def __init__(self, spec: ShowAttendTellSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.places = Places(spec)
        self.embedding = TokenEmbedding(spec.vocabulary + 1, spec.embedding)
        self.opening = nn.Linear(spec.width, spec.hidden * (2 if spec.cell == "lstm" else 1))
        self.reader = Reader(spec.hidden, spec.width, "additive", spec.hidden)
        self.gate = nn.Linear(spec.hidden, 1)
        self.rnn = network(spec.cell, spec.embedding + spec.width, spec.hidden, 1, 0.0)
        self.out = nn.Linear(spec.hidden + spec.width + spec.embedding, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        nn.init.normal_(self.embedding.weight, std=spec.embedding**-0.5)

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        ids: Int[Tensor, "b k t"],
        *,
        labels: Int[Tensor, "b k t"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> CaptionOutput:
        """Logits (b, k, t, v + 1), and what else was asked for; while learning the loss holds the penalty."""
        memory = self.places(self.normal(x)).repeat_interleave(ids.shape[1], 0)
        words = self.dropout(looked_up(self.embedding, ids.flatten(0, 1)))
        found = self.looked(words, memory, self.opened(memory))
        logits = self.said(words, found)
        wanted = None if labels is None else labels.flatten(0, 1)
        loss = loss_of(logits, wanted, smoothing)
        if loss is not None and wanted is not None and self.training and self.spec.doubly:
            loss = loss + self.spec.doubly * unequal(found.weights, wanted)
        seen = (Trace(found.weights[:, None], "look"),) if trace else ()
        return CaptionOutput(torch.unflatten(logits, 0, ids.shape[:2]), loss, seen)

    def opened(self, memory: Float[Tensor, "b s m"]) -> DecoderState:
        """The state before anything: of the mean of the places (§3.1.2)."""
        first = torch.tanh(self.opening(memory.mean(1)))[None]
        if self.spec.cell == "gru":
            return DecoderState(first)
        hidden, cell = first.chunk(2, dim=-1)
        return DecoderState((hidden.contiguous(), cell.contiguous()))

    def looked(self, words: Float[Tensor, "b t e"], memory: Float[Tensor, "b s m"], state: DecoderState) -> Looked:
        """Token after token: look, gate, step."""
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        for word in words.unbind(1):
            before = state.top[:, None]
            context, weights = self.reader(before, memory)
            seen = torch.sigmoid(self.gate(before)) * context
            out, hidden = self.rnn(torch.cat([word[:, None], seen], dim=-1), state.hidden)
            state = DecoderState(hidden)
            parts.append((out, seen, weights))
        return Looked(state, *(torch.cat(part, dim=1) for part in zip(*parts, strict=True)))

    def said(self, words: Float[Tensor, "b t e"], found: Looked) -> Float[Tensor, "b t v"]:
        """The scores of what follows, from the state, what it saw and the token before."""
        states = self.dropout(torch.tanh(self.out(torch.cat([found.out, found.seen, words], dim=-1))))
        return self.embedding.logits(states)

    def begin(self, x: Float[Tensor, "b c h w"], asked: Int[Tensor, "b p"]) -> TellingWriting:
        """Pictures and questions read."""
        memory = self.places(self.normal(x))
        state = self.opened(memory)
        if asked.shape[1]:
            state = self.looked(looked_up(self.embedding, asked), memory, state).state
        return TellingWriting(memory, state)

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits after one more token of each text."""
        assert isinstance(writing, TellingWriting)
        words = looked_up(self.embedding, ids[:, None])
        found = self.looked(words, writing.memory, writing.state)
        writing.state = found.state
        return self.said(words, found)[:, 0]


def unequal(weights: Float[Tensor, "b t s"], labels: Int[Tensor, "b t"]) -> Float[Tensor, ""]:
    """How far the looks of a text at each place are from one in all: the mean of (1 − Σ_t α_ti)² over places, then over texts.

    Only tokens that count look.

    >>> unequal(torch.eye(4)[None], torch.zeros(1, 4, dtype=torch.long)).item()
    0.0
    """
    counts = labels >= 0
    there = counts.any(1)
    sums = (weights * counts[..., None]).sum(1)
    return (((1.0 - sums) ** 2).mean(1) * there).sum() / there.sum().clamp(min=1)
