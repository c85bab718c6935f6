"""Pictures under the shades of their cells: what is laid over them, what their sides say, and the numbers on demand."""

from __future__ import annotations

import base64
import json
import re

import pytest
import torch

from heedful.data.audio.logmel import log_mel
from heedful.errors import ShapeError
from heedful.explanations.parts.axes import even
from heedful.explanations.parts.overlay import Cover, Laying, cells, overlay
from heedful.spec.audio import FrameSpec
from heedful.tasks.explained.spectra import axes_of, spectrogram

PIXELS = torch.arange(16, dtype=torch.uint8).view(1, 4, 4)


def test_numbers_are_as_laid_over_the_picture() -> None:
    values = torch.tensor([[0.5, -1.0], [0.0, 0.25]])
    shown = overlay(PIXELS, [Cover("what counts", values)], "a picture", Laying(cells(2, 2), signed=True))
    levels = base64.b64decode(re.findall(r'data-levels="([^"]+)"', shown)[0])
    top = float(re.findall(r'data-top="([^"]+)"', shown)[0])
    told = torch.tensor([(level - 128) / 127 * top for level in levels])
    assert torch.allclose(told, values.flatten(), atol=top / 254)  # half a level
    rows = re.findall(r'<th scope="row">(row \d, column \d)</th>.*?data-label="number">([^<]+)<', shown)
    assert rows[0] == ("row 1, column 2", "-1.00")
    assert len(rows) == 4


def test_a_button_a_word_and_where_it_looked_most() -> None:
    looks = [Cover("one", torch.tensor([[0.9, 0.1]])), Cover("two", torch.tensor([[0.2, 0.8]]))]
    shown = overlay(PIXELS, looks, "words", Laying(["0.00 to 0.50 s", "0.50 to 1.00 s"], axes_of(1.0, FrameSpec())))
    assert re.findall(r'aria-pressed="(\w+)"', shown) == ["true", "false"]
    assert re.findall(r'data-label="most at">([^<]+)<', shown) == ["0.00 to 0.50 s", "0.50 to 1.00 s"]
    names = re.findall(r"data-names=\"([^\"]+)\"", shown)[0].replace("&quot;", '"')
    assert json.loads(names) == ["0.00 to 0.50 s", "0.50 to 1.00 s"]
    assert "hertz (mel scale)" in shown
    assert "seconds" in shown


def test_what_may_not_be_shaded_keeps_its_numbers() -> None:
    values = torch.tensor([[0.5, -1.0], [0.0, 0.25]])
    one, other = (overlay(PIXELS, [Cover("x", values)], "x", Laying(cells(2, 2), signed=True, shaded=shaded)) for shaded in (True, False))
    above = [re.findall(r'<img src="([^"]+)" alt="" class="above"', shown)[0] for shown in (one, other)]
    assert above[0] != above[1]
    assert 'class="legend"' not in other
    assert "-1.00" in other


@pytest.mark.parametrize("layers", [[], [torch.zeros(2, 3)], [torch.zeros(2, 2), torch.zeros(4, 1)]])
def test_maps_of_other_cells_are_refused(layers: list[torch.Tensor]) -> None:
    with pytest.raises(ShapeError, match="4 cells need maps of as many"):
        overlay(PIXELS, [Cover("x", each) for each in layers], "x", Laying(cells(2, 2)))


@pytest.mark.parametrize(("length", "last"), [(0.1, "0.1"), (1.0, "1"), (7.3, "7"), (60.0, "60")])
def test_round_values_at_equal_distances(length: float, last: str) -> None:
    ticks = even(length, "seconds").ticks
    assert ticks[0] == (0.0, "0")
    assert ticks[-1][1] == last
    assert 4 <= len(ticks) <= 11
    for place, text in ticks:
        assert place * length == pytest.approx(float(text), abs=length * 1e-9)


@pytest.mark.parametrize("hertz", [250, 1000, 3000])
def test_a_tone_lies_where_the_side_says(hertz: int) -> None:
    spec = FrameSpec()
    wave = (torch.arange(8000) * 2 * torch.pi * hertz / spec.rate).sin()
    picture = spectrogram(log_mel(wave[None], spec)[0])[0]
    at = next(place for place, text in axes_of(1.0, spec).up.ticks if text == str(hertz))
    row = int(picture.double().mean(1).argmax())
    # A tone between the middles of two bands lights the nearer one: half a band, and as much for bands that share its transform's step.
    assert abs(1 - (row + 0.5) / spec.bands - at) <= 1 / spec.bands
