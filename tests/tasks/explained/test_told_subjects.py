"""Captions and recordings, against the models' own log-probabilities of a word."""

from __future__ import annotations

import pytest
import torch
from tests.tasks.explained.conftest import stirred
from torch import Tensor

from heedful.data.audio.logmel import FLOOR
from heedful.errors import UsageError
from heedful.explanations.explanation import explained
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.relevance import Relevance
from heedful.models.caption.build import build_captioner
from heedful.models.caption.captioning import Captioning
from heedful.models.speech.listener import Listener
from heedful.spec.captioner import CaptionerSpec, ShowAttendTellSpec
from heedful.spec.listener import ConformerSpec, ListenerSpec
from heedful.tasks.explained.described import CaptionReader
from heedful.tasks.explained.pictures import Picture
from heedful.tasks.explained.sounds import Sound, Words

MARK, VOCABULARY = 9, 9
ROUNDING = 32 * 2.0**-24  # of logarithms below 16 in float32, summed and subtracted


@pytest.fixture(params=["captioner", "show_attend_tell"])
def captioner(request: pytest.FixtureRequest) -> Captioning:
    torch.manual_seed(0)
    shape = {"size": 16, "channels": 1, "vocabulary": VOCABULARY, "stem": (8, 8)}
    spec = CaptionerSpec(width=16, decoder_layers=2, **shape) if request.param == "captioner" else ShowAttendTellSpec(**shape)
    model = stirred(build_captioner(spec)).float()
    assert isinstance(model, Captioning)
    return model


@pytest.fixture
def pixels() -> Tensor:
    return torch.randint(0, 256, (1, 16, 16), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def said(model: Captioning, x: Tensor, before: tuple[int, ...], target: tuple[int, ...]) -> float:
    """The log-probability of some tokens after others."""
    with torch.no_grad():
        logs = model(x[None], torch.tensor([[[*before, *target[:-1]]]])).logits[0, 0].double().log_softmax(-1)
    return sum(float(logs[len(before) - 1 + i, token]) for i, token in enumerate(target))


def test_a_word_of_a_caption_rests_on_cells(captioner: Captioning, pixels: Tensor) -> None:
    subject = Picture(CaptionReader(captioner, captioner.side, (MARK, 4), (5, 2)), pixels, "five two")
    kept = torch.ones(2, subject.count, dtype=torch.bool)
    kept[1, 3] = False
    x = pixels.float() / 255
    painted = x.clone()
    row, column = divmod(3, captioner.side)
    cell = subject.cell
    painted[:, row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = captioner.mean
    expected = [said(captioner, each, (MARK, 4), (5, 2)) for each in (x, painted)]
    assert subject.scored(kept).tolist() == pytest.approx(expected, abs=ROUNDING)
    against = Picture(CaptionReader(captioner, captioner.side, (MARK, 4), (5,), (2,)), pixels, "five", "two")
    wanted = said(captioner, x, (MARK, 4), (5,)) - said(captioner, x, (MARK, 4), (2,))
    assert float(against.scored(against.whole())) == pytest.approx(wanted, abs=ROUNDING)
    assert Measured().passes(subject) <= 20
    assert len(InputGradient().scores(subject)) == captioner.side**2
    if captioner.spec.kind == "captioner":
        assert len(Relevance().scores(subject)) == len(Attention().scores(subject)) == captioner.side**2
        twice = Picture(CaptionReader(captioner, captioner.side, (MARK,), (5, 2), (3, 1, 1)), pixels, "five two", "three")
        assert "takes a pass of its own" in str(Relevance().why_not(twice))
    else:
        assert Relevance().why_not(subject) is not None


@pytest.fixture
def sound() -> Sound:
    torch.manual_seed(0)
    spec = ListenerSpec(vocabulary=5, bands=8, stem=(4,), encoder=ConformerSpec(width=8, layers=1, heads=2, kernel=3))
    model = stirred(Listener(spec)).float()
    assert isinstance(model, Listener)
    frames = torch.randn(50, 8, generator=torch.Generator().manual_seed(2))
    return Sound(model, frames, 0.5, Words((5, 1), (2,), (3,)), ("two", "three"))


def test_a_word_that_was_heard_rests_on_seconds(sound: Sound) -> None:
    assert (sound.count, sound.names[0], sound.names[-1]) == (12, "0.00 to 0.05 s ", "0.46 to 0.50 s ")
    assert sorted(place for places in sound.places for place in places) == list(range(50))
    kept = torch.ones(2, sound.count, dtype=torch.bool)
    kept[1, 2] = False
    for way, value in ((None, sound.listener.mean), ("mask", torch.full((8,), float(torch.tensor(FLOOR).log())))):
        frames = sound.frames.clone()
        frames[list(sound.places[2])] = value
        expected = []
        for each in (sound.frames, frames):
            with torch.no_grad():
                logs = sound.listener(each[None], torch.tensor([50]), torch.tensor([[5, 1]])).logits[0, 1].double().log_softmax(-1)
            expected.append(float(logs[2] - logs[3]))
        assert sound.scored(kept, way).tolist() == pytest.approx(expected, abs=ROUNDING)
    with pytest.raises(UsageError, match="silence"):
        sound.scored(kept, "delete")
    assert (Measured().scores(sound) - Occlusion().scores(sound)).abs().max() <= ROUNDING
    assert "no stretches of time" in str(Relevance().why_not(sound))


def test_a_recording_is_drawn_as_its_spectrogram(sound: Sound) -> None:
    assert sound.grid is not None
    assert (sound.grid.rows, sound.grid.columns, tuple(sound.grid.pixels.shape)) == (1, 12, (1, 8, 50))
    page = explained(sound, Measured()).html()
    assert "0.00 to 0.05 s" in page
    assert "data:image/png" in page
