"""A softmax whose cost follows the frequency of words: Grave et al. 2017, arXiv 1609.04309."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError, UsageError

IGNORED = -100
NARROWING = 2.0


@final
class AdaptiveHead(nn.Module):
    """The frequent words each have a place in the first softmax; the rare ones share a few places and are told apart behind them.

    `cutoffs` are the ids at which rarer clusters begin (ids sorted by falling frequency, as the word tokenizer gives
    them); cluster i is read through width / 2^i channels. torch's `AdaptiveLogSoftmaxWithLoss` does the work.

    >>> import torch
    >>> head = AdaptiveHead(16, 100, (10, 40))
    >>> x, labels = torch.randn(2, 5, 16), torch.randint(100, (2, 5))
    >>> head.loss(x, labels).shape, head.logits(x).shape
    (torch.Size([]), torch.Size([2, 5, 100]))

    Errors: `UsageError` for cutoffs that do not rise within the vocabulary.
    """

    def __init__(self, width: int, vocabulary: int, cutoffs: Sequence[int]) -> None:
        super().__init__()
        if list(cutoffs) != sorted({*cutoffs}) or not 0 < cutoffs[0] <= cutoffs[-1] < vocabulary:
            raise UsageError(f"model.adaptive must rise from above 0 to below the vocabulary of {vocabulary}: found {list(cutoffs)}")
        self.clusters = nn.AdaptiveLogSoftmaxWithLoss(width, vocabulary, list(cutoffs), div_value=NARROWING)

    def loss(self, x: Float[Tensor, "b t m"], labels: Int[Tensor, "b t"]) -> Float[Tensor, ""]:
        """Mean cross entropy in nats over the labels that count, in float32; only the clusters that occur are computed."""
        if labels.shape != x.shape[:2]:
            raise ShapeError(f"labels name the token after each of {tuple(x.shape[:2])} places: found {tuple(labels.shape)}")
        kept = labels != IGNORED
        with torch.autocast(x.device.type, enabled=False):  # torch's clusters do not mix types
            loss: Tensor = self.clusters(x[kept].float(), labels[kept]).loss
        return loss

    def logits(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t v"]:
        """The log-probability of every word: the whole vocabulary's cost."""
        with torch.autocast(x.device.type, enabled=False):
            found: Tensor = self.clusters.log_prob(x.float().flatten(0, 1))
        return found.reshape(*x.shape[:2], found.shape[-1])
