"""Correctness first: the distance from float64 against that of torch's SDPA in the same precision. What is wrong is not timed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from heedful.bench.problem import SLAB, Problem, attended, doubled, exact, formula, forward_only, slabs, torchs
from heedful.errors import HeedfulError

SMALL = 512  # keys at which gradients are compared


@dataclass(frozen=True, slots=True)
class Errors:
    """Largest and root-mean-square distances from float64: ours, and torch SDPA's."""

    ours: tuple[float, float]
    theirs: tuple[float, float]
    size: float

    @property
    def ratio(self) -> float:
        """Ours as a multiple of SDPA's, the worse of the two."""
        return max(mine / max(other, 1e-30) for mine, other in zip(self.ours, self.theirs, strict=True))

    def check(self, what: str, dtype: torch.dtype) -> None:
        """Refuse a result that is further off than twice SDPA's error and rounding."""
        allowed = 2 * self.theirs[0] + 4 * torch.finfo(dtype).eps * self.size
        if not self.ours[0] <= allowed:
            raise HeedfulError(f"{what}: error {self.ours[0]:.3g} against float64, at most {allowed:.3g} would be right; it is not timed")


def errors(problem: Problem, backend: str) -> Errors:
    """Of the forward pass, on some of the queries; checked, and the gradients at a smaller size with it."""
    plain = forward_only(problem)
    t = plain.tensors()
    wide = doubled(t)
    with torch.no_grad():
        mine, other = attended(plain, t, backend)(), torchs(plain, t)()
        rows = list(slabs(t.q.shape[2], SLAB if problem.n <= 8192 else SLAB // 4))
        right = torch.cat([formula(plain, wide, each) for each in rows], 2)
        taken = [torch.cat([out[:, :, each] for each in rows], 2).double() for out in (mine, other)]
    found = compared(taken[0], taken[1], right)
    found.check(problem.case, problem.dtype)
    if problem.backward:
        check_gradients(problem, backend)
    return found


def compared(mine: Tensor, other: Tensor, right: Tensor) -> Errors:
    """Two results against the right one."""
    return Errors(distance(mine.double() - right), distance(other.double() - right), right.abs().max().item())


def distance(far: Tensor) -> tuple[float, float]:
    """Largest and root mean square."""
    return far.abs().max().item(), far.square().mean().sqrt().item()


def check_gradients(problem: Problem, backend: str) -> None:
    """The gradients of q, k and v at a size where float64 is quick, against twice SDPA's error."""
    small = replace(problem, n=min(problem.n, SMALL), q=None, backward=True)
    t = small.tensors()
    wide = doubled(t)
    mine, other, right = (
        torch.autograd.grad(forward(), held.leaves, held.dout.detach())
        for forward, held in ((attended(small, t, backend), t), (torchs(small, t), t), (exact(small, wide), wide))
    )
    for name, *parts in zip("qkv", mine, other, right, strict=True):
        compared(*parts).check(f"{small.case}, gradient of {name}", problem.dtype)


def check_options(problem: Problem, backend: str) -> None:
    """Work whose options torch's SDPA lacks, at a small size: against twice the error of the naive backend."""
    small = replace(problem, n=min(problem.n, SMALL), backward=False)
    t = small.tensors()
    with torch.no_grad():
        mine, slow = (attended(small, t, name)() for name in (backend, "naive"))
        right = attended(replace(small, dtype=torch.float64), doubled(t), "naive")()
    compared(mine, slow, right).check(small.case, problem.dtype)
