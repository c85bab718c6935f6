"""The columns that stay of a map make good what the others gave, as far as they can: least squares on the activations
(as in ThiNet, Luo et al. 2017, arXiv 1707.06342, eq. 7)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.train.compress.activity import Moments

RIDGE = 1e-2


def refitted(
    weight: Float[Tensor, "n k"], bias: Float[Tensor, " n"] | None, seen: Moments, kept: list[int]
) -> tuple[Float[Tensor, "n j"], Float[Tensor, " n"] | None]:
    """W' and b' with W' x[kept] + b' nearest to W x + b over what was seen; W' is drawn to the old columns where little was seen.

    With a bias the means of what is cut out go into it, and the covariances are fitted; without, the second moments.

    >>> x = torch.randn(500, 3)
    >>> x = torch.cat([x, x[:, :1] + x[:, 1:2]], dim=1)                 # the last input is the sum of the first two
    >>> seen = Moments(x.mean(0), x.mT @ x / len(x), len(x))
    >>> weight, _ = refitted(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), None, seen, [0, 1, 2])
    >>> bool((weight - torch.tensor([[5.0, 6.0, 3.0]])).abs().max() < 0.2)
    True
    """
    index = torch.tensor(kept)
    gram = (seen.square if bias is None else seen.covariance).double()
    wide, old = weight.detach().double().cpu(), weight.detach()[:, index].double().cpu()
    ridge = RIDGE * gram.diagonal()[index].mean().clamp_min(1e-12)
    inner = gram[index][:, index] + ridge * torch.eye(len(index), dtype=torch.float64)
    missing = wide @ gram[:, index] - old @ gram[index][:, index]  # what the columns cut out gave, as seen by those that stay
    fitted = old + torch.linalg.solve(inner, missing.mT).mT
    moved = None
    if bias is not None:
        moved = (bias.detach().double().cpu() + wide @ seen.mean.double() - fitted @ seen.mean[index].double()).to(bias)
    return fitted.to(weight), moved
