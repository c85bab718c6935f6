"""Our AdamW is torch's, bit for bit, whatever happens between its steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from heedful.train.adamw import AdamW

BETAS = (0.9, 0.99)


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Linear(7, 3))


def groups(model: nn.Module) -> list[dict[str, object]]:
    big, small = ([weight for weight in model.parameters() if (weight.dim() >= 2) is kind] for kind in (True, False))
    return [{"params": big, "weight_decay": 0.1}, {"params": small, "weight_decay": 0.0}]


def walk(model: nn.Module, adam: torch.optim.Optimizer, steps: range, missing: tuple[int, ...] = ()) -> None:
    """Steps whose gradients depend on their number alone; those in `missing` leave the first parameter without one."""
    for step in steps:
        torch.manual_seed(step)
        for i, weight in enumerate(model.parameters()):
            weight.grad = None if i == 0 and step in missing else torch.randn_like(weight)
        adam.step()


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("missing", [(), (0,), (3,), (1, 4, 5)])
def test_it_moves_as_torchs(missing: tuple[int, ...]) -> None:
    mine, theirs = net(), net()
    adam, torchs = AdamW(groups(mine), 0.01, BETAS), torch.optim.AdamW(groups(theirs), lr=0.01, betas=BETAS, fused=True)
    walk(mine, adam, range(8), missing)
    walk(theirs, torchs, range(8), missing)
    assert same(mine, theirs)
    counts = [[state["step"].item() for state in each.state.values()] for each in (adam, torchs)]
    assert sorted(counts[0]) == sorted(counts[1])


def test_its_state_is_torchs() -> None:
    mine, theirs = net(), net()
    adam, torchs = AdamW(groups(mine), 0.01, BETAS), torch.optim.AdamW(groups(theirs), lr=0.01, betas=BETAS, fused=True)
    walk(mine, adam, range(3))
    theirs.load_state_dict(mine.state_dict())
    torchs.load_state_dict(adam.state_dict())
    walk(theirs, torchs, range(3, 6))
    adam.load_state_dict(torchs.state_dict())
    mine.load_state_dict(theirs.state_dict())
    straight = net()
    walk(straight, AdamW(groups(straight), 0.01, BETAS), range(9))
    walk(mine, adam, range(6, 9))
    assert same(mine, straight)


def test_the_gradients_are_divided_inside() -> None:
    mine, theirs = net(), net()
    adam, torchs = AdamW(groups(mine), 0.01, BETAS), torch.optim.AdamW(groups(theirs), lr=0.01, betas=BETAS, fused=True)
    walk(mine, adam, range(2))
    walk(theirs, torchs, range(2))
    adam.grad_scale = torch.tensor(4.0)
    walk(mine, adam, range(2, 3))
    torch.manual_seed(2)
    for weight in theirs.parameters():
        weight.grad = torch.randn_like(weight) / 4.0
    torchs.step()
    assert same(mine, theirs)
