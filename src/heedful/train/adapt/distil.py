"""Distilling: a model learns to say what its teacher says of a text; no answers are needed (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import kl_div

from heedful.errors import UsageError
from heedful.manage.objective import Batch, token_losses
from heedful.train.adapt.learn import Aim


def distilling(teacher: nn.Module) -> Aim:
    """KL(teacher ‖ model) in nats a place that counts.

    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = build(DecoderSpec(vocabulary=11, width=16, layers=1)).eval()
    >>> bool(distilling(model)(model, {"input_ids": torch.tensor([[1, 2, 3]])}).abs() < 1e-6)
    True
    """

    def aim(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
        with torch.no_grad():
            said = token_losses(teacher, batch)
        scored = token_losses(model, batch)
        if said.logits is None or scored.logits is None:
            raise UsageError("distilling compares scores, and a loss of one's own gives none")
        if said.logits.shape != scored.logits.shape:
            raise UsageError(
                f"the teacher scores {tuple(said.logits.shape)}, the model {tuple(scored.logits.shape)}: one vocabulary would work"
            )
        counts = scored.counts
        wanted, found = (each[counts].float().log_softmax(-1) for each in (said.logits, scored.logits))
        return kl_div(found, wanted, reduction="sum", log_target=True) / max(1, scored.number)

    return aim
