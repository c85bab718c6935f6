"""AdamW on a CPU (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2): torch's fused kernel, and little around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor


class Row(NamedTuple):
    """A group's tensors, a list a role; `counts` is the memory of all `steps`."""

    weights: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    steps: list[Tensor]
    counts: Float[Tensor, " n"]


@final
class AdamW(torch.optim.AdamW):
    """torch's fused AdamW, bit for bit and with its state, for steps in which every parameter has a gradient.

    torch gathers its lists anew at each step and counts for each parameter apart, a fifth of the step of a small model. Here the
    lists are kept, and the counts share one tensor. All other steps are torch's own. `grad_scale`, if set, divides the gradients
    inside the kernel.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> adam = AdamW([{"params": [weight]}], lr=0.1, betas=(0.9, 0.99))
    >>> for _ in range(3):
    ...     weight.grad = torch.ones(2)
    ...     _ = adam.step()
    >>> round(weight[0].item(), 3), adam.state[weight]["step"].item()
    (0.697, 3.0)
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=True)
        self.grad_scale: Float[Tensor, ""] | None = None

    def add_param_group(self, group: dict[str, Any]) -> None:
        """One more group; the lists are gathered again."""
        super().add_param_group(group)
        self.rows: list[Row] | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.rows, self.grad_scale = None, None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step."""
        if self.rows is None and all(weight in self.state for group in self.param_groups for weight in group["params"]):
            self.rows = [self.gathered(group["params"]) for group in self.param_groups]
        grads = [[weight.grad for weight in group["params"]] for group in self.param_groups]
        if self.rows is None or closure is not None or any(grad is None for row in grads for grad in row):
            loss: float | None = super().step(closure)
            return loss
        for group, row, found in zip(self.param_groups, self.rows, grads, strict=True):
            self.move(group, row, [grad for grad in found if grad is not None])
        return None

    def gathered(self, weights: list[Tensor]) -> Row:
        """The lists of a group, its counts moved into one tensor."""
        states = [self.state[weight] for weight in weights]
        counts = torch.stack([state["step"] for state in states])
        for state, count in zip(states, counts.unbind(), strict=True):
            state["step"] = count
        means, squares, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        return Row(weights, means, squares, steps, counts)

    def move(self, group: dict[str, Any], row: Row, grads: list[Tensor]) -> None:
        """Move the weights of a group by their gradients."""
        row.counts.add_(1.0)
        torch._fused_adamw_(
            row.weights,
            grads,
            row.means,
            row.squares,
            [],
            row.steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
            grad_scale=self.grad_scale,
        )
