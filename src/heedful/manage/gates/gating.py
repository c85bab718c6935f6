"""What each gate of a model would lose if it were closed in part or removed, by the same formula as the options of heads.

The change is measured at the output of the gate's block, from the same input: delta_t = y_t' - y_t, g_t the gradient there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from heedful.layers.block import TransformerBlock
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.manage.gates.treatment import THRESHOLDED, Treatment, gated_blocks, levels_of, treated
from heedful.manage.objective import Batch, Loss, token_losses
from heedful.manage.profile import Gated

SHARES = (0.25, 0.5, 0.75)  # of the channels or tokens that a threshold closes


@final
@dataclass(eq=False)
class Gating:
    """One block's gate while batches go by: what its values are, then what each treatment changes."""

    name: str
    block: TransformerBlock
    gate: Gate
    levels: list[Tensor] = field(default_factory=list)
    treatments: tuple[Treatment, ...] = (Treatment("kept"), Treatment("removed"))
    sums: dict[str, list[float]] = field(default_factory=dict)

    @property
    def level(self) -> Tensor:
        """Mean gates of channels, or the values of all tokens seen."""
        return torch.stack(self.levels).mean(0) if isinstance(self.gate, SqueezeExcitation) else torch.cat(self.levels)

    def look(self, gate: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Note a call's values."""
        self.levels.append(levels_of(self.gate, inputs[0]))

    def decide(self) -> None:
        """The thresholds that close a quarter, a half, three quarters."""
        if isinstance(self.gate, THRESHOLDED):
            level = self.level.float().cpu()
            numbers = dict.fromkeys(float(each) for each in level.quantile(torch.tensor(SHARES)))
            self.treatments = (self.treatments[0], *(Treatment("threshold", number) for number in numbers), self.treatments[-1])
        self.sums = {treatment.name: [0.0, 0.0] for treatment in self.treatments}

    def caught(self, together: list[bool], block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor) -> Tensor:
        """A call of the block: its output is where the gradient arrives."""
        y = out if out.requires_grad else out.detach().requires_grad_()
        y.register_hook(lambda g: self.tried(args[0].detach(), kwargs, y.detach(), g, together[0]))  # type: ignore[no-untyped-call]
        return y

    def tried(self, x: Tensor, kwargs: dict[str, Any], y: Tensor, g: Tensor, together: bool) -> None:
        """Every treatment, now that the gradient is known."""
        real = (g != 0).any(-1, keepdim=True)
        with torch.no_grad():
            for treatment in self.treatments:
                with treated(self.block, treatment, self.level if isinstance(self.gate, SqueezeExcitation) else None):
                    delta = (self.block.forward(x, **kwargs) - y) * real
                change = (g * delta).sum(-1)
                change = change.sum(-1) if together else change
                self.sums[treatment.name][0] += float(0.5 * change.double().square().sum())
                self.sums[treatment.name][1] += float(delta.double().square().sum())

    def found(self, tokens: int) -> list[Gated]:
        """The losses a token."""
        kind = type(self.gate).__name__
        return [
            Gated(
                self.name,
                kind,
                each.name,
                self.skipped(each),
                dict(zip(("fisher", "output_error"), (x / max(tokens, 1) for x in two), strict=True)),
                each.number,
                self.open(each),
            )
            for each, two in zip(self.treatments, self.sums.values(), strict=True)
        ]

    def open(self, treatment: Treatment) -> tuple[int, ...]:
        """The channels that a threshold leaves; none are named where it leaves tokens."""
        if treatment.kind != "threshold" or not isinstance(self.gate, SqueezeExcitation):
            return ()
        return tuple((self.level >= treatment.number).nonzero().flatten().tolist())

    def skipped(self, treatment: Treatment) -> float:
        """The share of channels or tokens that a treatment leaves out."""
        return float((self.level < treatment.number).float().mean()) if treatment.kind == "threshold" else 0.0


def gate_losses(model: nn.Module, batches: Sequence[Batch], loss: Loss | None = None) -> tuple[Gated, ...]:
    """Every gate under every treatment; the model is in evaluation and its parameters need no gradient.

    A first pass finds the values of the gates, which the thresholds divide; a second one, with gradients, the losses.
    """
    gatings = [Gating(name, block, block.gate) for name, block in gated_blocks(model).items() if block.gate is not None]
    if not gatings:
        return ()
    with ExitStack() as hooks, torch.no_grad():
        for each in gatings:
            hooks.callback(each.gate.register_forward_hook(each.look).remove)
        for batch in batches:
            token_losses(model, batch, loss)
    tokens, together = 0, [False]
    for each in gatings:
        each.decide()
    with ExitStack() as hooks, torch.inference_mode(False), torch.enable_grad():
        for each in gatings:
            hooks.callback(each.block.register_forward_hook(partial(each.caught, together), with_kwargs=True).remove)
        for batch in batches:
            scored = token_losses(model, batch, loss)
            together[0] = scored.counts.shape[1] == 1
            tokens += scored.number
            scored.total.backward()  # type: ignore[no-untyped-call]
    return tuple(gated for each in gatings for gated in each.found(tokens))
