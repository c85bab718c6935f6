"""A model of speech that learnt nothing but says much: its frames now this and now that, its decoder without an end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from heedful.data.audio import voices
from heedful.data.audio.logmel import frames_of, log_mel
from heedful.data.tokens import train_tokenizer
from heedful.models.speech.listener import Listener
from heedful.spec.audio import SpeechDataSpec
from heedful.spec.listener import ConformerSpec, ListenerSpec, SpellerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.train.run import Run


@pytest.fixture(scope="session")
def said() -> Tensor:
    """Three utterances, one after the other."""
    return torch.cat([voices.voices().part("test").utterance(i).wave for i in range(3)])


@pytest.fixture
def babbler(said: Tensor) -> Callable[..., LoadedSpeech]:
    """Makes one that writes at most `context` tokens."""

    def make(context: int, ctc: float = 0.3, quiet: float | None = None) -> LoadedSpeech:
        torch.manual_seed(1)
        tokenizer = train_tokenizer("word", [" one two three"])
        encoder, decoder = ConformerSpec(width=16, layers=1, heads=2, kernel=5, inner=16), SpellerSpec(embedding=8, hidden=16)
        sizes = {"vocabulary": tokenizer.size, "context": context, "bands": 40}
        spec = ListenerSpec(**sizes, stem=(4, 4), encoder=encoder, decoder=decoder, ctc=ctc, searched=ctc, quiet=quiet)
        model, frames = Listener(spec).eval(), SpeechDataSpec().frames
        with torch.no_grad():
            heard = model.hear(log_mel(said[None], frames), frames_of(torch.tensor([len(said)]), frames))
            model.frames.weight *= 30.0
            model.frames.bias.copy_(-model.frames.weight @ heard.memory[0].mean(0))
            model.get_parameter("speller.head.bias")[model.mark] = -1e3
        return LoadedSpeech(Run(Path("none")), model, tokenizer, RunSpec(task="speech", data=SpeechDataSpec(), model=spec))

    return make
