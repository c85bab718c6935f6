import pytest
import torch

from heedful.attention.masks.mask import Mask
from heedful.layers.lookahead import looks_back
from heedful.masks import Blocks, Causal, Dense, Dilated, Padding, Prefix, Sinks, Window

BACK = [
    Causal(),
    Window(3),
    Dilated(2, 2),
    Causal() & Blocks(2),
    Window(3) | Causal(),
    Causal() & (Window(2) | Sinks(1)),
    Causal() & ~Window(1),
    Causal() & Padding(torch.tensor([6])),
    (Window(2) & Causal()).at(torch.arange(6), torch.arange(6)),
]
AHEAD = [Window(2, ahead=1), Sinks(2), Prefix(3), Causal() | Prefix(3), ~Causal(), Blocks(3)]


@pytest.mark.parametrize("mask", BACK, ids=str)
def test_what_looks_back_never_looks_ahead(mask: Mask) -> None:
    assert looks_back(mask)
    assert not mask.dense(6, 6).triu(1).any()


@pytest.mark.parametrize("mask", AHEAD, ids=str)
def test_what_looks_ahead_is_seen(mask: Mask) -> None:
    assert not looks_back(mask)
    assert mask.dense(6, 6).triu(1).any()


def test_a_table_is_not_trusted() -> None:
    assert not looks_back(Dense(torch.ones(4, 4, dtype=torch.bool).tril()))
    assert not looks_back(None)
