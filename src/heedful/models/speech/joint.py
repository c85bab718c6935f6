"""A search led by what was heard twice: by the decoder that looks, and by tokens counted frame by frame.

A text's worth is (1 - share) log p_decoder + share log p_frames of the text as a beginning (Watanabe et al. 2017, IEEE JSTSP 11(8),
§III-D).
"""

from __future__ import annotations

from math import log
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.models.seq2seq.search import Hypothesis, search_from
from heedful.models.seq2seq.sequence import Writing
from heedful.models.speech.listener import Heard, Listener
from heedful.models.speech.prefix import Prefix, advanced, empty, extended, frame_logs
from heedful.spec.search import Search


@final
class JointWriting(Writing):
    """The decoder's memory (None: it is not asked), and the frames with the beginnings counted in them (None: they are not)."""

    def __init__(self, own: Writing | None, logs: Tensor | None, prefix: Prefix | None) -> None:
        self.own, self.logs, self.prefix = own, logs, prefix

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self.own is not None:
            self.own.reorder(index)
        self.prefix = None if self.prefix is None else self.prefix.at(index)

    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i]."""
        if self.own is not None:
            self.own.select(index)
        self.prefix = None if self.prefix is None else self.prefix.at(index)
        self.logs = None if self.logs is None else self.logs.index_select(0, index)


@final
class Joint:
    """What a beam search asks of a model: the worth of every way on, of texts over what was heard."""

    def __init__(self, model: Listener, share: float) -> None:
        self.model, self.share, self.mark = model, share, model.mark

    def begin(self, source: Float[Tensor, "b s m"], lengths: Int[Tensor, " b"]) -> JointWriting:
        """Nothing written yet over what was heard."""
        own = self.model.begin(Heard(source, lengths)) if self.share < 1 else None
        if not self.share:
            return JointWriting(own, None, None)
        logs = frame_logs(self.model.frames(source), lengths, self.mark)
        return JointWriting(own, logs, empty(logs, self.mark))

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The worth of each token after one more of each text, to be added as it is."""
        assert isinstance(writing, JointWriting)
        said = torch.zeros(())
        if writing.own is not None:
            said = (1.0 - self.share) * self.model.step(ids, writing.own).float().log_softmax(1)
        if writing.logs is None or writing.prefix is None:
            return said
        if not bool((ids == self.mark).all()):
            writing.prefix = advanced(writing.logs, writing.prefix, ids, self.mark)
        onward = extended(writing.logs, writing.prefix, self.mark) - writing.prefix.score[:, None]
        return said + self.share * onward.clamp(min=-1e6).float()


@torch.inference_mode()
def searched(model: Listener, heard: Heard, search: Search, share: float | None = None) -> list[list[Hypothesis]]:
    """For each recording the best texts, at most as many tokens as it has frames; `share` in place of the model's own.

    Where frames are asked, and it is likelier than not that they say nothing at all, nothing was said: a decoder never saw that.
    """
    most = max(1, min(model.context, int(heard.lengths.max()) + 1))
    joint = Joint(model, model.spec.searched if share is None else share)
    writing = joint.begin(heard.memory, heard.lengths)
    silent = [False] * len(heard.lengths) if writing.logs is None else nothing(writing.logs, model.mark)
    found = search_from(joint, writing, (len(heard.lengths), most), search, heard.memory.device, summed=True)
    return [[Hypothesis([], 0.0, 0.0)] if quiet else best for quiet, best in zip(silent, found, strict=True)]


def nothing(logs: Float[Tensor, "b t v"], blank: int) -> list[bool]:
    """Of each recording whether its frames say by more than even chances that there is no token in it."""
    said: list[bool] = (logs[..., blank].sum(1) > log(0.5)).tolist()
    return said
