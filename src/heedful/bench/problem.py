"""One piece of work: its sizes, its mask, its tensors; run by `attend`, by torch's SDPA, and in float64 for the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.resolve import Options
from heedful.cost import attention as cost
from heedful.cost.formulas import Cost
from heedful.cost.measure import Run

SLAB = 48  # queries that are compared with float64, at the beginning, in the middle and at the end


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """q, k, v, and the gradient that the output gets."""

    q: Tensor
    k: Tensor
    v: Tensor
    dout: Tensor

    @property
    def leaves(self) -> tuple[Tensor, Tensor, Tensor]:
        """What gradients are taken by."""
        return self.q, self.k, self.v


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`n` keys and `q` queries (n unless given) of 8 heads 64 wide, batch 1; `options` go to `attend`."""

    n: int
    dtype: torch.dtype = torch.float32
    mask: Mask | None = None
    backward: bool = False
    q: int | None = None
    heads: int = 8
    width: int = 64
    device: str = "cpu"
    options: Options = field(default_factory=lambda: Options())

    @property
    def case(self) -> str:
        """How the table calls it."""
        passes = "forward + backward" if self.backward else "forward"
        queries = "" if self.q is None else f"{self.q} of "
        return f"{short(self.dtype)}, N = {queries}{self.n:,}, {passes}"

    @property
    def density(self) -> float:
        """The share of the pairs that are attended."""
        return 1.0 if self.mask is None else self.mask.density(self.q or self.n, self.n)

    def cost(self) -> Cost:
        """Operations and bytes on attended pairs."""
        s = cost.Sizes(1, self.heads, self.heads, self.q or self.n, self.n, self.width, self.width, self.density, self.dtype)
        return cost.forward(s) + cost.backward(s) if self.backward else cost.forward(s)

    def tensors(self, seed: int = 0) -> Tensors:
        """Normally distributed inputs, those of a seed the same in every dtype up to rounding."""
        gen = torch.Generator().manual_seed(seed)
        made = []
        for length in (self.q or self.n, self.n, self.n, self.q or self.n):
            drawn = torch.randn(1, self.heads, length, self.width, generator=gen)
            made.append(drawn.to(self.device, self.dtype))
        q, k, v, dout = made
        for leaf in (q, k, v):
            leaf.requires_grad_(self.backward)
        return Tensors(q, k, v, dout)


def short(dtype: torch.dtype) -> str:
    """A dtype without its module."""
    return str(dtype).removeprefix("torch.")


def passes(problem: Problem, t: Tensors, forward: Callable[[], Tensor]) -> Run:
    """The forward pass, or it and the gradients of q, k and v."""
    if not problem.backward:
        return forward
    return lambda: torch.autograd.grad(forward(), t.leaves, t.dout)


def attended(problem: Problem, t: Tensors, backend: str = "auto") -> Callable[[], Tensor]:
    """The output of `attend`."""
    options: Options = {"mask": problem.mask, "backend": backend, **problem.options}
    return lambda: attend(t.q, t.k, t.v, **options)


def torchs(problem: Problem, t: Tensors) -> Callable[[], Tensor]:
    """The output of torch's SDPA: its own causal switch where that is the mask, else a dense mask made beforehand."""
    dense, causal = torch_mask(problem)
    return lambda: scaled_dot_product_attention(t.q, t.k, t.v, attn_mask=dense, is_causal=causal)


def exact(problem: Problem, t: Tensors) -> Callable[[], Tensor]:
    """The whole output by the formula, in the tensors' own precision."""
    return lambda: formula(problem, t, slice(0, t.q.shape[2]))


def ours(problem: Problem, t: Tensors, backend: str = "auto") -> Run:
    """`attend` on the work, with its gradients where the work has them."""
    return passes(problem, t, attended(problem, t, backend))


def sdpa(problem: Problem, t: Tensors) -> Run:
    """torch's SDPA on the work."""
    return passes(problem, t, torchs(problem, t))


def torch_mask(problem: Problem) -> tuple[Tensor | None, bool]:
    """The mask in torch's terms: booleans, or the switch."""
    if isinstance(problem.mask, Causal) and problem.q is None:
        return None, True
    return (None if problem.mask is None else problem.mask.dense(problem.q or problem.n, problem.n, problem.device)), False


def slabs(q_len: int, size: int) -> Iterator[slice]:
    """Some queries at the beginning, in the middle and at the end; all of them where they are few."""
    if q_len <= 3 * size:
        yield slice(0, q_len)
        return
    for start in (0, (q_len - size) // 2, q_len - size):
        yield slice(start, start + size)


def formula(problem: Problem, t: Tensors, rows: slice) -> Tensor:
    """softmax(Q Kᵀ / √d) V of some queries, as it is written."""
    scores = (t.q[:, :, rows] @ t.k.mT) / problem.width**0.5
    if problem.mask is not None:
        allowed = problem.mask.rows(rows.start, rows.stop, problem.q or problem.n, problem.n, problem.device)
        scores = scores.masked_fill(~allowed, float("-inf"))
    return torch.softmax(scores, -1).nan_to_num(0.0) @ t.v


def doubled(t: Tensors) -> Tensors:
    """The very same numbers in float64."""
    q, k, v, dout = (x.detach().double().requires_grad_(x.requires_grad) for x in (t.q, t.k, t.v, t.dout))
    return Tensors(q, k, v, dout)


def forward_only(problem: Problem) -> Problem:
    """The same work without its gradients."""
    return replace(problem, backward=False)
