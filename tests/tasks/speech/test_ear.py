"""A stream heard in chunks is what the whole recording is, whatever the chunks; what wants the whole hears it anew."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
import torch

from heedful.data.audio import voices
from heedful.data.audio.logmel import log_mel
from heedful.data.audio.resample import resampled
from heedful.data.tokens import train_tokenizer
from heedful.errors import UsageError
from heedful.models.speech.listener import Listener
from heedful.spec.audio import SpeechDataSpec
from heedful.spec.hearing import Hearing
from heedful.spec.listener import ConformerSpec, ListenerSpec, SpellerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.speech.ear import Ear
from heedful.tasks.speech.listening import listened
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.tasks.task import Asked
from heedful.train.run import Run


def loaded(causal: bool, ctc: float = 0.3) -> LoadedSpeech:
    """A model that learnt nothing."""
    torch.manual_seed(1)
    tokenizer = train_tokenizer("word", [" one two three"])
    encoder = ConformerSpec(width=16, layers=2, heads=2, kernel=5, inner=16, causal=causal, window=16 if causal else None)
    spec = ListenerSpec(
        vocabulary=tokenizer.size,
        bands=40,
        stem=(4, 4),
        encoder=encoder,
        decoder=SpellerSpec(embedding=8, hidden=16),
        ctc=ctc,
        searched=min(ctc, 0.3),
    )
    model = Listener(spec).eval()
    model.frames.bias.data[-1] = -2.0  # something is said in most frames
    return LoadedSpeech(Run(Path("none")), model, tokenizer, RunSpec(task="speech", data=SpeechDataSpec(), model=spec))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("rate", "chunk"), [(8000, 800), (16000, 1111), (8000, 37)])
def test_chunks_are_the_whole(causal: bool, rate: int, chunk: int) -> None:
    mine = loaded(causal)
    wave = 0.1 * torch.randn(rate if chunk > 100 else 2000)
    ear, parts = Ear(mine, rate), list(wave.split(chunk))
    for i, part in enumerate(parts):
        ear.take(part, i == len(parts) - 1)
    at_once = log_mel(resampled(wave[None], rate, 8000), mine.data.frames)
    whole = mine.model.hear(at_once, torch.tensor([at_once.shape[1]])).memory
    found = ear.heard()
    assert found is not None
    torch.testing.assert_close(found.memory, whole, rtol=1e-3, atol=1e-4)
    assert ear.length == whole.shape[1]


def test_the_shortest_stream_is_heard() -> None:
    ear = Ear(loaded(True), 8000)
    ear.take(torch.zeros(1), last=True)
    assert ear.length == 1


@pytest.mark.parametrize("causal", [True, False])
def test_a_stream_tells_of_words_then_of_utterances_then_ends(causal: bool) -> None:
    some = voices.voices().part("test").picked([0, 1])
    asked = Asked(hearing=Hearing(rate=8000, chunk=0.2, spot="one,two,three"))
    events = [event.record() for event in listened(loaded(causal), asked, io.BytesIO(some.samples.numpy().astype("<i2").tobytes()))]
    kinds = [event["heard"] for event in events]
    assert kinds[-1] == "end"
    assert "final" in kinds
    finals = [event for event in events if event["heard"] == "final"]
    assert finals[0]["from"] == 0.0
    assert all(one["to"] <= other["from"] + 1e-6 for one, other in itertools.pairwise(finals))
    times = [event["at"] for event in events[:-1]]
    assert times == sorted(times)


def test_an_utterance_is_heard_as_if_nothing_went_before_it() -> None:
    mine = loaded(True)
    ear, wave = Ear(mine, 8000), 0.1 * torch.randn(8000)
    ear.take(wave, last=True)
    frames = log_mel(wave[None], mine.data.frames)
    ear.close(kept=5)
    strides = mine.model.spec.strides
    left = frames[:, frames.shape[1] - 5 * strides :]
    again = mine.model.hear(left, torch.tensor([left.shape[1]])).memory
    found = ear.heard()
    assert found is not None
    assert ear.length == 5
    torch.testing.assert_close(found.memory, again, rtol=1e-3, atol=1e-4)


def test_an_utterance_ends_where_it_is_softest() -> None:
    ear = Ear(loaded(True), 8000)
    wave = 0.1 * torch.randn(8000)
    wave[5600:6000] *= 0.01  # 0.7 to 0.75 s: frames of the model take 0.04 s each
    ear.take(wave, last=True)
    assert ear.softest(after=3) == 17
    assert ear.softest(after=20) > 20
    assert ear.softest(after=ear.length - 1) == ear.length


def test_chunks_do_not_change_what_a_causal_model_hears() -> None:
    data = voices.voices().part("test").picked([0]).samples.numpy().astype("<i2").tobytes()
    texts = []
    for chunk in (0.04, 0.5):
        asked = Asked(hearing=Hearing(rate=8000, chunk=chunk, pause=100.0))
        events = [event.record() for event in listened(loaded(True), asked, io.BytesIO(data))]
        texts.append([event["text"] for event in events if event["heard"] == "final"])
    assert texts[0] == texts[1]


def test_frames_that_say_nothing_cannot_be_streamed() -> None:
    with pytest.raises(UsageError, match=r"model\.ctc=0"):
        next(listened(loaded(True, ctc=0.0), Asked(), io.BytesIO(bytes(100))))
