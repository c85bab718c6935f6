"""What models that hear learn by: the loss of a batch, its waves and frames varied while learning and as they are when judged."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.data.audio.logmel import frames_of, log_mel
from heedful.data.audio.rows import SpeechBatch
from heedful.data.audio.vary import masked, varied
from heedful.models.speech.listener import ListenerOutput
from heedful.spec.audio import FrameSpec, VarySpec
from heedful.train.objective import Carry, Objective, Outcome


def text_of_speech(frames: FrameSpec, vary: VarySpec, smoothing: float = 0.0) -> Objective:
    """Cross entropy of every token of what is said, and the nats of all of them counted by frames, in the shares of the model."""

    def objective(model: nn.Module, batch: SpeechBatch, carry: Carry) -> Outcome:
        waves, lengths = batch.waves, batch.lengths
        if model.training:
            waves, lengths = varied(waves, lengths, vary, frames.rate)
        x, real = framed(waves, lengths, frames)
        if model.training:
            x = masked(x, real, vary, frames)
        share = smoothing if model.training else 0.0
        output: ListenerOutput = model(x, real, batch.ids, labels=batch.labels, smoothing=share)
        assert output.loss is not None, "a model that is given labels returns their loss"
        return Outcome(output.loss, output.logits)

    return objective


def framed(waves: Float[Tensor, "b n"], lengths: Int[Tensor, " b"], spec: FrameSpec) -> tuple[Float[Tensor, "b t f"], Int[Tensor, " b"]]:
    """The frames of waves, and how many of each are not padding."""
    return log_mel(waves, spec), frames_of(lengths, spec)
