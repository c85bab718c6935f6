"""An LSTM over frames, from both sides or from the past alone (Graves et al. 2013, arXiv 1303.5778, §2)."""

from __future__ import annotations

from typing import final

from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.models.bilstm import recurred
from heedful.models.speech.encoder import Encoder, Held
from heedful.spec.listener import LSTMHearingSpec


@final
class LSTMHearing(Encoder):
    """The layers one after the other.

    >>> import torch
    >>> hears, x = LSTMHearing(LSTMHearingSpec(hidden=8, causal=True), 4, 0.0).eval(), torch.randn(1, 6, 4)
    >>> held = hears.fresh()
    >>> streamed = torch.cat([hears.go_on(part, held) for part in x.split(4, dim=1)], dim=1)
    >>> torch.allclose(streamed, hears(x, torch.tensor([6])), atol=1e-6)
    True
    """

    def __init__(self, spec: LSTMHearingSpec, width: int, dropout: float) -> None:
        super().__init__()
        between = dropout if spec.layers > 1 else 0.0
        self.lstm = nn.LSTM(width, spec.hidden, spec.layers, batch_first=True, dropout=between, bidirectional=not spec.causal)

    def forward(self, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b t n"]:
        """What each frame comes to."""
        return recurred(self.lstm, x, None if bool((lengths == x.shape[1]).all()) else lengths)

    def fresh(self) -> Held:
        """No state yet."""
        return [None]

    def go_on(self, x: Float[Tensor, "b t m"], held: Held) -> Float[Tensor, "b t n"]:
        """The next frames of a stream."""
        states: Tensor
        states, held[0] = self.lstm(x, held[0])
        return states
