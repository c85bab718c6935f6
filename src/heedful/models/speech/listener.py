"""The whole model: log-mel frames, a stem, an encoder, a decoder that looks, and tokens counted frame by frame beside it.

Listen, attend and spell: Chan et al. 2016 (arXiv 1508.01211). Joint CTC and attention: Kim, Hori & Watanabe 2017 (arXiv 1609.06773, §2.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import ctc_loss

from heedful.errors import ShapeError, UsageError
from heedful.layers.trace import Trace
from heedful.models.seq2seq.sequence import Writing, loss_of
from heedful.models.speech.conformer import Conformer
from heedful.models.speech.encoder import Encoder, Held
from heedful.models.speech.levels import before, cut, floored, voiced
from heedful.models.speech.lstm import LSTMHearing
from heedful.models.speech.recurrent import RecurrentSpeller
from heedful.models.speech.speller import Speller
from heedful.models.speech.stem import Stem
from heedful.models.speech.transformer import TransformerSpeller
from heedful.spec.listener import ConformerSpec, ListenerSpec, SpellerSpec
from heedful.spec.task import RunModel


class Heard(NamedTuple):
    """What was heard: frames, and how many of each row are not padding."""

    memory: Float[Tensor, "b s m"]
    lengths: Int[Tensor, " b"]


class ListenerOutput(NamedTuple):
    """Scores of what follows each token, the loss where labels were given, where each looked, and the scores of each frame's token."""

    logits: Float[Tensor, "b t v"]
    loss: Float[Tensor, ""] | None
    alignment: Float[Tensor, "b t s"]
    traces: tuple[Trace, ...]
    frames: Float[Tensor, "b s v"]
    heard: Heard


@final
class Listener(nn.Module):
    """Hears frames and writes tokens; `mark`, one more than the tokenizer has, ends and begins a text, and is no token of a frame (blank).

    >>> model = Listener(ListenerSpec(vocabulary=5, bands=8, stem=(4,), encoder=ConformerSpec(width=8, layers=1, heads=2, kernel=3))).eval()
    >>> out = model(torch.randn(2, 20, 8), torch.tensor([20, 12]), torch.tensor([[5, 1], [5, 2]]), labels=torch.tensor([[1, 5], [2, 5]]))
    >>> out.logits.shape, out.frames.shape, out.loss.shape
    (torch.Size([2, 2, 6]), torch.Size([2, 10, 6]), torch.Size([]))

    Errors: `UsageError` for a vocabulary or bands that are not filled in, `ShapeError` for frames of other bands.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, spec: ListenerSpec) -> None:
        super().__init__()
        if spec.vocabulary < 1 or spec.bands < 1:
            raise UsageError(f"model.vocabulary is {spec.vocabulary} and model.bands {spec.bands}: a model needs its data's")
        self.spec, self.vocabulary, self.context, self.mark = spec, spec.vocabulary, spec.context, spec.vocabulary
        width = spec.encoder.width
        self.register_buffer("mean", torch.zeros(spec.bands))
        self.register_buffer("spread", torch.ones(spec.bands))
        self.stem = Stem(spec.bands, spec.stem, width, spec.encoder.causal)
        self.dropout = nn.Dropout(spec.dropout)
        self.encoder = encoder_of(spec)
        self.frames = nn.Linear(width, spec.vocabulary + 1)
        self.speller = speller_of(spec)

    def forward(
        self,
        x: Float[Tensor, "b t f"],
        lengths: Int[Tensor, " b"],
        ids: Int[Tensor, "b n"],
        *,
        labels: Int[Tensor, "b n"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> ListenerOutput:
        """Scores of what follows each token; `labels` are those (-100: does not count), `lengths` count the frames that are not padding."""
        heard = self.hear(x, lengths)
        spelt = self.speller(ids, *heard, trace=trace)
        frames = self.frames(heard.memory)
        loss = loss_of(spelt.logits, labels, smoothing)
        if loss is not None and labels is not None and self.spec.ctc:
            loss = (1.0 - self.spec.ctc) * loss + self.spec.ctc * self.counted(frames, heard.lengths, labels)
        return ListenerOutput(spelt.logits, loss, spelt.alignment, spelt.traces, frames, heard)

    def hear(self, x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"]) -> Heard:
        """What the frames come to."""
        if x.shape[-1] != len(self.mean):
            raise ShapeError(f"this model hears frames of {len(self.mean)} bands: found {tuple(x.shape)}")
        x, lengths = self.levelled(x, lengths)
        y, lengths = self.stem(x, lengths)
        return Heard(self.encoder(self.dropout(y), lengths), lengths)

    def levelled(self, x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"]) -> tuple[Float[Tensor, "b s f"], Int[Tensor, " b"]]:
        """The frames on the model's own scale, nothing where there is padding; without those before and behind the voice if it is asked."""
        if self.spec.quiet is not None:
            first, lengths = self.spoken(x, lengths)
            x = cut(x, first, lengths)
        if self.spec.depth is not None:
            x = floored(x, lengths, self.spec.depth)
        real = before(x, lengths)[..., None]
        x = (x - self.mean) / self.spread
        if self.spec.centred:
            x = x - (x * real).sum(1, keepdim=True) / lengths[:, None, None]
        return x * real, lengths

    def spoken(self, x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"]) -> tuple[Int[Tensor, " b"], Int[Tensor, " b"]]:
        """Where the voice begins in frames, whole ones of the encoder, and how many frames it takes."""
        if self.spec.quiet is None:
            return torch.zeros_like(lengths), lengths
        first, count = voiced(x, lengths, self.spec.quiet)
        over = first % self.spec.strides
        return first - over, count + over

    def counted(self, frames: Float[Tensor, "b s v"], lengths: Int[Tensor, " b"], labels: Int[Tensor, "b n"]) -> Float[Tensor, ""]:
        """Nats a token over all ways to lie on the frames (Graves et al. 2006, ICML, §4); texts too long for them count nothing."""
        counts = (labels >= 0) & (labels != self.mark)
        targets = torch.where(counts, labels, 0)
        logs = frames.float().log_softmax(-1).transpose(0, 1)
        return ctc_loss(logs, targets, lengths, counts.sum(1), blank=self.mark, zero_infinity=True)

    def begin(self, heard: Heard) -> Writing:
        """Nothing written yet."""
        return self.speller.begin(*heard)

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The scores after one more token of each row."""
        return self.speller.step(ids, writing)

    def fresh(self) -> tuple[list[Tensor | None], Held]:
        """What a stream begins with; `UsageError` where the encoder wants the whole recording."""
        if not self.spec.encoder.causal:
            raise UsageError("this model hears whole recordings: one with model.encoder.causal=true would hear a stream as it comes")
        return self.stem.fresh(), self.encoder.fresh()

    def go_on(self, x: Float[Tensor, "b t f"], held: tuple[list[Tensor | None], Held]) -> Float[Tensor, "b s m"]:
        """The next frames of a stream, a multiple of the strides but for the last ones, as `hear` over all of them would give."""
        return self.encoder.go_on(self.stem.go_on((x - self.mean) / self.spread, held[0]), held[1])


def encoder_of(spec: ListenerSpec) -> Encoder:
    """What hears."""
    if isinstance(spec.encoder, ConformerSpec):
        return Conformer(spec.encoder, spec.dropout)
    return LSTMHearing(spec.encoder, spec.encoder.width, spec.dropout)


def speller_of(spec: ListenerSpec) -> Speller:
    """What writes."""
    width, tokens = spec.encoder.width, spec.vocabulary + 1
    if isinstance(spec.decoder, SpellerSpec):
        return RecurrentSpeller(spec.decoder, width, tokens, spec.dropout)
    return TransformerSpeller(spec.decoder, width, tokens, spec.dropout)


def build_listener(spec: RunModel) -> Listener:
    """The model of this spec, freshly started from torch's generator; `UsageError` for a model of something else."""
    return Listener(hearing(spec))


def hearing(spec: RunModel) -> ListenerSpec:
    """The spec, if it hears."""
    if not isinstance(spec, ListenerSpec):
        raise UsageError(f"model.kind is {spec.kind}, which hears nothing: listener does")
    return spec


@torch.no_grad()
def measured(model: Listener, frames: Iterable[tuple[Float[Tensor, "b t f"], Int[Tensor, " b"]]]) -> None:
    """Let a model take mean and spread out of each band, as they are over these frames."""
    total, square, count = torch.zeros(model.spec.bands).double(), torch.zeros(model.spec.bands).double(), 0
    for x, lengths in frames:
        real = x[torch.arange(x.shape[1]) < lengths[:, None]].double()
        total, square, count = total + real.sum(0), square + real.square().sum(0), count + len(real)
    mean = total / count
    model.mean.copy_(mean)
    model.spread.copy_((square / count - mean.square()).clamp(min=1e-4).sqrt())
