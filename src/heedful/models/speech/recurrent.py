"""Attend and spell: an LSTM that looks, then steps, then says what it saw and where it stands (Chan et al. 2016, arXiv 1508.01211, §3.2;
the order of looking and stepping is Chorowski et al. 2015's, arXiv 1506.07503, equations 4 to 6).
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.layers.embed import TokenEmbedding
from heedful.layers.trace import Trace
from heedful.models.seq2seq.sequence import Writing, looked_up
from heedful.models.speech.looks.location import Location
from heedful.models.speech.looks.look import Look, beginning
from heedful.models.speech.looks.monotonic import Monotonic
from heedful.models.speech.looks.plain import Plain
from heedful.models.speech.speller import Speller, Spelt
from heedful.spec.listener import SpellerSpec


class State(NamedTuple):
    """The cell's two vectors, and where it looked last."""

    hidden: Float[Tensor, "b n"]
    cell: Float[Tensor, "b n"]
    weights: Float[Tensor, "b s"]


@final
class SpellerWriting(Writing):
    """What was heard, which frames are not padding, and where the writer stands."""

    def __init__(self, memory: Tensor, real: Tensor | None, state: State) -> None:
        self.memory, self.real, self.state = memory, real, state

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        self.state = State(*(part.index_select(0, index) for part in self.state))

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.reorder(index)
        self.memory = self.memory.index_select(0, index)
        self.real = None if self.real is None else self.real.index_select(0, index)


@final
class RecurrentSpeller(Speller):
    """Embedding, look, LSTM cell, scores.

    >>> speller = RecurrentSpeller(SpellerSpec(embedding=4, hidden=8), 6, 5, 0.0).eval()
    >>> ids, memory, lengths = torch.tensor([[4, 1, 2]]), torch.randn(1, 9, 6), torch.tensor([9])
    >>> spelt, writing = speller(ids, memory, lengths), speller.begin(memory, lengths)
    >>> steps = torch.stack([speller.step(ids[:, t], writing) for t in range(3)], dim=1)
    >>> spelt.alignment.shape, torch.allclose(steps, spelt.logits, atol=1e-5)
    (torch.Size([1, 3, 9]), True)
    """

    def __init__(self, spec: SpellerSpec, memory: int, vocabulary: int, dropout: float) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(vocabulary, spec.embedding)
        nn.init.normal_(self.embedding.weight, std=spec.embedding**-0.5)
        self.look = look_of(spec, memory)
        self.cell = nn.LSTMCell(spec.embedding + memory, spec.hidden)
        self.mix = nn.Linear(spec.hidden + memory, spec.hidden)
        self.head = nn.Linear(spec.hidden, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Int[Tensor, "b t"], memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"], trace: bool = False) -> Spelt:
        """All steps."""
        x, real = self.dropout(looked_up(self.embedding, ids)), real_frames(memory, lengths)
        state = self.first(memory)
        said, weights = [], []
        for each in x.unbind(1):
            out, state = self.stepped(each, memory, real, state)
            said.append(out)
            weights.append(state.weights)
        alignment = torch.stack(weights, 1)
        return Spelt(torch.stack(said, 1), alignment, (Trace(alignment[:, None], "look"),) if trace else ())

    def stepped(self, x: Tensor, memory: Tensor, real: Tensor | None, state: State) -> tuple[Float[Tensor, "b v"], State]:
        """One step: look with the state before, go on, and say."""
        context, weights = self.look(state.hidden, memory, state.weights, real)
        hidden, cell = self.cell(torch.cat([x, context], dim=1), (state.hidden, state.cell))
        mixed = torch.tanh(self.mix(torch.cat([hidden, context], dim=1)))
        return self.head(self.dropout(mixed)), State(hidden, cell, weights)

    def first(self, memory: Float[Tensor, "b s m"]) -> State:
        """Nothing said, and looking at the first frame."""
        zeros = memory.new_zeros(len(memory), self.cell.hidden_size)
        return State(zeros, zeros, beginning(memory))

    def begin(self, memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> SpellerWriting:
        """Nothing written yet."""
        return SpellerWriting(memory, real_frames(memory, lengths), self.first(memory))

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """One more token."""
        assert isinstance(writing, SpellerWriting)
        out, writing.state = self.stepped(looked_up(self.embedding, ids[:, None])[:, 0], writing.memory, writing.real, writing.state)
        return out


def look_of(spec: SpellerSpec, memory: int) -> Look:
    """The way of looking that the spec names."""
    if spec.look == "location":
        return Location(spec.hidden, memory, spec.hidden, spec.filters, spec.reach, spec.onward)
    return Plain(spec.hidden, memory, spec.hidden) if spec.look == "plain" else Monotonic(spec.hidden, memory, spec.hidden)


def real_frames(memory: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> Bool[Tensor, "b s"] | None:
    """Which frames are not padding; None where none is."""
    if bool((lengths == memory.shape[1]).all()):
        return None
    return torch.arange(memory.shape[1], device=memory.device) < lengths[:, None]
