from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import ShapeError, UsageError
from heedful.gates import GateState, PositionalWeighting


def shaken(*args: object, **options: object) -> PositionalWeighting:
    gate = PositionalWeighting(*args, **options).double()
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    return gate


def naive(gate: PositionalWeighting, x: Tensor, first: int = 0) -> Tensor:
    """One sequence (t, m) whose first place stands at `first`."""
    rows = []
    for t, x_t in enumerate(x):
        p = x_t @ gate.w_p + gate.tables[0][first + t]
        rows.append((p * x_t) @ gate.w_w + x_t @ gate.w_x)
    return torch.stack(rows)


def test_equals_the_loop():
    gate, x = shaken(6, 20), torch.randn(2, 7, 6, dtype=torch.float64)
    for row in range(2):
        torch.testing.assert_close(gate(x)[row], naive(gate, x[row]))


def test_positions_start_where_the_state_says():
    gate, x = shaken(6, 20), torch.randn(2, 7, 6, dtype=torch.float64)
    y, state = gate.step(x, GateState(seen=13))
    torch.testing.assert_close(y[1], naive(gate, x[1], first=13))
    assert state.seen == 20
    masked, _ = gate.step(x, GateState(seen=13), mask=torch.ones(2, 7, dtype=torch.bool))
    torch.testing.assert_close(masked, y)


def test_positions_on_an_image_are_row_plus_column():
    gate, x = shaken(3, (4, 5), layout="2d"), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    rows, columns = gate.tables
    weights = gate.gate(x)
    for i in range(4):
        for j in range(5):
            torch.testing.assert_close(weights[:, 0, i, j], x[:, :, i, j] @ gate.w_p + rows[i] + columns[j])


def test_a_gap_keeps_its_places():
    """Only the padding before the first real place is left out of the count."""
    gate, x = shaken(6, 20), torch.randn(1, 7, 6, dtype=torch.float64)
    mask = torch.tensor([[False, True, True, False, False, True, True]])
    expected = naive(gate, x[0, 1:])
    torch.testing.assert_close(gate(x, mask=mask)[0][mask[0]], expected[mask[0, 1:]])
    state, outs = None, []
    for start, end in [(0, 3), (3, 4), (4, 7)]:  # the last piece begins inside the gap
        y, state = gate.step(x[:, start:end], state, mask=mask[:, start:end])
        outs.append(y)
    torch.testing.assert_close(torch.cat(outs, dim=1), gate(x, mask=mask))


@pytest.mark.parametrize("seen", [0, 3])
def test_beyond_the_table_is_refused(seen):
    gate, x = PositionalWeighting(6, 8), torch.randn(1, 9 - seen, 6)
    with pytest.raises(ShapeError, match="knows 8 places along an axis, found 9"):
        gate.step(x, GateState(seen=seen))
    with pytest.raises(ShapeError, match="found 9"):
        PositionalWeighting(3, (8, 8), layout="2d")(torch.randn(1, 3, 2, 9))


def test_a_length_that_does_not_fit_its_layout_is_refused():
    with pytest.raises(UsageError, match=r"\(height, width\)"):
        PositionalWeighting(3, 8, layout="2d")
    with pytest.raises(UsageError, match="one length"):
        PositionalWeighting(3, (8, 8))
    with pytest.raises(UsageError, match="length=0"):
        PositionalWeighting(3, 0)


def test_it_learns_which_places_matter():
    """What the static matrices of the source article cannot do: keep the even places, drop the odd ones."""
    gate = PositionalWeighting(4, 6)
    optimiser = torch.optim.Adam(gate.parameters(), lr=0.05)
    keep = torch.tensor([1.0, 0.0] * 3)[:, None]
    for _ in range(300):
        x = torch.randn(32, 6, 4)
        loss = (gate(x) - keep * x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.02  # one linear map for all places stays at 1/4
