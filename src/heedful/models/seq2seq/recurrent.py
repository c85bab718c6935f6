"""A recurrent reader from both sides and a recurrent writer that looks at what was read.

The reader and Bahdanau's writer: Bahdanau, Cho & Bengio 2015 (arXiv 1409.0473, §3); Luong's: Luong, Pham & Manning 2015 (arXiv
1508.04025, §3). Coverage: See, Liu & Manning 2017 (arXiv 1704.04368, §2.3): what was read of a place so far stands beside it as one
more channel, so that an additive score gains the w_c c of their equation 11.
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.layers.recurrent import BahdanauDecoder, Decoded, DecoderState, LuongDecoder
from heedful.layers.trace import Trace
from heedful.models.seq2seq.pointer import Pointer
from heedful.models.seq2seq.sequence import Seq2Seq, Seq2SeqOutput, Writing, looked_up, loss_of, real_places
from heedful.spec.seq2seq import RnnSeq2SeqSpec

SAME = ("dot", "scaled_dot", "cosine")  # scores that want states and memory of one width
WITH_COVERAGE = ("additive", "concat", "general")


class Read(NamedTuple):
    """The sources, their states, which of them are not padding, and what was read of each so far."""

    source: Int[Tensor, "b s"]
    memory: Float[Tensor, "b s m"]
    real: Bool[Tensor, "b s"] | None
    seen: Float[Tensor, "b s"]


@final
class RecurrentWriting(Writing):
    """What was read, and the writer's state."""

    def __init__(self, read: Read, state: DecoderState) -> None:
        self.read, self.state = read, state

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        self.state = self.state.reorder(index)
        self.read = self.read._replace(seen=self.read.seen.index_select(0, index))

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        self.state = self.state.reorder(index)
        self.read = Read(*(None if part is None else part.index_select(0, index) for part in self.read))  # type: ignore[arg-type]


@final
class Recurrent(Seq2Seq):
    """Embedding; a network that reads in both directions; one that writes and looks; scores over the next token.

    >>> import torch
    >>> from heedful.spec.seq2seq import RnnSeq2SeqSpec
    >>> model = Recurrent(RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8)).eval()
    >>> source, ids = torch.tensor([[1, 2, 3, 11]]), torch.tensor([[11, 4, 5]])
    >>> out = model(source, torch.tensor([4]), ids, trace=True)
    >>> out.logits.shape, out.alignment.shape
    (torch.Size([1, 3, 12]), torch.Size([1, 3, 4]))
    >>> writing = model.begin(source, torch.tensor([4]))
    >>> steps = torch.stack([model.step(ids[:, t], writing) for t in range(3)], dim=1)
    >>> torch.allclose(steps, out.logits, atol=1e-5)
    True
    """

    def __init__(self, spec: RnnSeq2SeqSpec) -> None:
        super().__init__(spec.vocabulary, spec.context)
        if spec.coverage is not None and spec.score not in WITH_COVERAGE:
            raise UsageError(f"model.coverage stands beside the memory, and {spec.score} compares equal widths: additive would work")
        self.spec = spec
        self.embedding = TokenEmbedding(spec.vocabulary + 1, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        between = spec.dropout if spec.layers > 1 else 0.0
        cell = nn.LSTM if spec.cell == "lstm" else nn.GRU
        self.reader = cell(spec.embedding, spec.hidden, spec.layers, batch_first=True, dropout=between, bidirectional=True)
        wide = spec.hidden if spec.score in SAME else 2 * spec.hidden
        self.bridge = nn.Linear(2 * spec.hidden, wide) if wide != 2 * spec.hidden else None
        self.opening = nn.Linear(spec.hidden, spec.layers * spec.hidden)
        self.writer = writer_of(spec, wide + (spec.coverage is not None))
        joined = spec.hidden + wide + (spec.coverage is not None) + spec.embedding
        self.out = nn.Linear(joined, spec.embedding)
        self.head = None if spec.tied else nn.Linear(spec.embedding, spec.vocabulary + 1, bias=False)
        self.pointer = Pointer(spec.embedding) if spec.copy else None
        nn.init.normal_(self.embedding.weight, std=spec.embedding**-0.5)

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
        read, state = self.understood(source, lengths)
        x = self.dropout(looked_up(self.embedding, ids))
        if self.spec.coverage is None:
            given, again = self.writer(x, read.memory, state, real=read.real), None
        else:
            given, again = self.covered(x, read, state)
        logits = self.said(x, given, source)
        loss = loss_of(logits, labels, smoothing)
        if loss is not None and again is not None and self.training:
            loss = loss + (self.spec.coverage or 0.0) * priced(again, labels)
        seen = (Trace(given.weights[:, None], "look"),) if trace else ()
        return Seq2SeqOutput(logits, loss, given.weights if trace else None, seen)

    def understood(self, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"]) -> tuple[Read, DecoderState]:
        """The sources' states, and the state that writing begins with: tanh W of the last state from behind (Bahdanau, §A.2.2)."""
        real = real_places(source, lengths)
        x = self.dropout(looked_up(self.embedding, source))
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states: Tensor = pad_packed_sequence(self.reader(packed)[0], batch_first=True, total_length=x.shape[1])[0]
        first = torch.tanh(self.opening(states[:, 0, self.spec.hidden :]))
        hidden = first.view(len(x), self.spec.layers, -1).transpose(0, 1).contiguous()
        memory = self.dropout(states if self.bridge is None else self.bridge(states))
        state = DecoderState((hidden, torch.zeros_like(hidden)) if self.spec.cell == "lstm" else hidden)
        return Read(source, memory, real, memory.new_zeros(source.shape)), state

    def covered(self, x: Float[Tensor, "b t n"], read: Read, state: DecoderState) -> tuple[Decoded, Float[Tensor, "b t"]]:
        """All steps, each knowing what was read before, and how much of each was reading again."""
        steps: list[Decoded] = []
        again: list[Tensor] = []
        for each in x.unbind(dim=1):
            steps.append(self.writer.step(each, beside(read), state, real=read.real))
            weights, state = steps[-1].weights[:, 0], steps[-1].state
            again.append(torch.minimum(weights, read.seen).sum(-1))
            read = read._replace(seen=read.seen + weights)
        out, context, weights = (torch.cat(parts, dim=1) for parts in zip(*((s.out, s.context, s.weights) for s in steps), strict=True))
        return Decoded(out, context, weights, state), torch.stack(again, dim=1)

    def said(self, x: Float[Tensor, "b t n"], given: Decoded, source: Int[Tensor, "b s"]) -> Float[Tensor, "b t v"]:
        """The scores of what follows, from the state, what it saw and the token before."""
        states = self.dropout(torch.tanh(self.out(torch.cat([given.out, given.context, x], dim=-1))))
        logits: Tensor = self.embedding.logits(states) if self.head is None else self.head(states)
        return logits if self.pointer is None else self.pointer(states, logits, given.weights, source)

    def begin(self, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"]) -> RecurrentWriting:
        """The sources read, and nothing written."""
        return RecurrentWriting(*self.understood(source, lengths))

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits after one more token of each target."""
        assert isinstance(writing, RecurrentWriting)
        read = writing.read
        x = self.dropout(looked_up(self.embedding, ids[:, None]))
        memory = read.memory if self.spec.coverage is None else beside(read)
        given = self.writer.step(x[:, 0], memory, writing.state, real=read.real)
        writing.state, writing.read = given.state, read._replace(seen=read.seen + given.weights[:, 0])
        return self.said(x, given, read.source)[:, 0]


def writer_of(spec: RnnSeq2SeqSpec, memory: int) -> BahdanauDecoder | LuongDecoder:
    """The network that writes and looks."""
    between = spec.dropout if spec.layers > 1 else 0.0
    if spec.look == "bahdanau":
        return BahdanauDecoder(
            spec.embedding, spec.hidden, memory, cell=spec.cell, score=spec.score, units=spec.hidden, layers=spec.layers, dropout=between
        )
    return LuongDecoder(
        spec.embedding,
        spec.hidden,
        memory,
        cell=spec.cell,
        score=spec.score,
        feeding=spec.feeding,
        units=spec.hidden,
        layers=spec.layers,
        dropout=between,
    )


def beside(read: Read) -> Float[Tensor, "b s n"]:
    """The memory with what was read of it as one more channel."""
    return torch.cat([read.memory, read.seen[..., None].to(read.memory.dtype)], dim=-1)


def priced(again: Float[Tensor, "b t"], labels: Int[Tensor, "b t"] | None) -> Float[Tensor, ""]:
    """The mean share of reading again over the places that count (See et al. 2017, equation 12)."""
    assert labels is not None
    counts = labels >= 0
    return (again * counts).sum() / counts.sum().clamp(min=1)
