"""Soft and loud, with silence around it or without: a voice is heard the same."""

from __future__ import annotations

from math import log

import pytest
import torch

from heedful.errors import UsageError
from heedful.models.speech.levels import cut, floored, voiced
from heedful.models.speech.listener import Listener
from heedful.spec.listener import ConformerSpec, ListenerSpec

BANDS = 6


def made(**fields: object) -> Listener:
    """A small model that goes by a recording's own level."""
    encoder = ConformerSpec(width=16, layers=1, heads=2, kernel=5, inner=16)
    return Listener(ListenerSpec(vocabulary=3, bands=BANDS, stem=(4, 4), encoder=encoder, dropout=0.0, **fields)).eval()


def test_a_floor_lies_under_the_loudest_band_of_each_recording() -> None:
    x = torch.tensor([[[0.0, -20.0], [5.0, 5.0]], [[-3.0, -20.0], [-4.0, -30.0]]])
    found = floored(x, torch.tensor([1, 2]), 40.0)
    depth = 4.0 * log(10.0)
    assert found[0, 0].tolist() == pytest.approx([0.0, -depth])  # what is padding (5.0) is not its loudest
    assert found[1, 1].tolist() == pytest.approx([-4.0, -3.0 - depth])


def test_a_voice_begins_and_ends_a_margin_from_its_loud_frames() -> None:
    x = torch.full((2, 20, BANDS), -12.0)
    x[0, 8:11] = 0.0
    x[1, 0] = x[1, 9] = 0.0
    first, count = voiced(x, torch.tensor([20, 10]), 20.0)
    assert first.tolist() == [6, 0]
    assert count.tolist() == [7, 10]  # margins reach no further than the recording does
    assert cut(x, first, count)[0, 2:5].eq(0.0).all()


def test_level_and_silence_around_change_nothing() -> None:
    model = made(quiet=20.0, depth=30.0, centred=True)
    voice = torch.randn(1, 21, BANDS)
    quiet = torch.full((1, 16, BANDS), -13.0)
    longer = torch.cat([quiet[:, :8], voice, quiet], dim=1)
    ids = torch.tensor([[3, 1]])
    whole = model(longer, torch.tensor([longer.shape[1]]), ids)
    softer = model(longer - 4.0, torch.tensor([longer.shape[1]]), ids)
    torch.testing.assert_close(whole.logits, softer.logits, rtol=1e-4, atol=1e-5)
    first, count = model.spoken(longer, torch.tensor([longer.shape[1]]))
    assert int(first) in (4, 8)  # a whole frame of the encoder, a margin before the voice
    alone = model(longer[:, int(first) : int(first + count)], count, ids)
    torch.testing.assert_close(whole.logits, alone.logits, rtol=1e-4, atol=1e-5)


def test_recordings_of_a_batch_do_not_change_one_another() -> None:
    model = made(quiet=20.0, depth=30.0)
    x, lengths = torch.randn(2, 40, BANDS), torch.tensor([40, 23])
    x[0, :12] -= 10.0
    x[1, 15:] -= 10.0
    both = model.hear(x, lengths)
    for row in range(2):
        alone = model.hear(x[row : row + 1, : lengths[row]], lengths[row : row + 1])
        assert both.lengths[row] == alone.lengths[0]
        torch.testing.assert_close(both.memory[row : row + 1, : int(alone.lengths)], alone.memory, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("field", ["depth", "quiet"])
def test_a_stream_has_no_loudest_frame(field: str) -> None:
    with pytest.raises(UsageError, match="wants the whole recording"):
        ListenerSpec(encoder=ConformerSpec(causal=True), **{field: 20.0})
    with pytest.raises(UsageError, match="above 0"):
        ListenerSpec(**{field: 0.0})
