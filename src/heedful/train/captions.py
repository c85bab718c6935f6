"""What models that describe pictures learn by: every token of every answer."""

from __future__ import annotations

from torch import nn
from torch.nn.functional import pad

from heedful.data.captions.batches import CaptionBatch
from heedful.models.caption.captioning import CaptionOutput
from heedful.train.objective import Carry, Objective, Outcome
from heedful.train.pictures import numbers


def words_of_picture(smoothing: float = 0.0) -> Objective:
    """Cross entropy of every token of captions and answers; of the batch's texts no more is read than the longest needs."""

    def objective(model: nn.Module, batch: CaptionBatch, carry: Carry) -> Outcome:
        t = batch.ids.shape[-1]
        longest = int((batch.labels >= 0).flatten(0, 1).any(0).nonzero().max()) + 1
        share = smoothing if model.training else 0.0
        output: CaptionOutput = model(numbers(batch.pixels), batch.ids[..., :longest], labels=batch.labels[..., :longest], smoothing=share)
        assert output.loss is not None, "a model that is given labels returns their loss"
        return Outcome(output.loss, pad(output.logits, (0, 0, 0, t - longest)))

    return objective
