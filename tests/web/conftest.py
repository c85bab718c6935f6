"""Runs that have learnt nothing, and servers of them."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import uvicorn
from PIL import Image
from starlette.testclient import TestClient

import heedful
from heedful.data.tokens import tokenizer_state, train_tokenizer
from heedful.data.tokens.none import NoTokens
from heedful.models.build import build
from heedful.models.caption.build import build_captioner
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.classifiers import build_classifier
from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.speech.listener import build_listener
from heedful.models.vision.build import build_picture_classifier
from heedful.spec import DataSpec, DecoderSpec, EncoderSpec, RunSpec
from heedful.spec.audio import SpeechDataSpec
from heedful.spec.captioner import CaptionerSpec
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.images import ImageDataSpec
from heedful.spec.listener import ConformerSpec, ListenerSpec, TransformerSpellerSpec
from heedful.spec.pairs import PairSpec
from heedful.spec.seq2seq import Seq2SeqSpec
from heedful.spec.vision import VisionTransformerSpec
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.image.loading import load_pictures
from heedful.tasks.translate.loading import load_seq2seq
from heedful.train.run import Run
from heedful.web.app import LOOPBACK
from heedful.web.app import build as app_of
from heedful.web.hall import Hall
from heedful.web.limits import Limits
from heedful.web.runs.run import OpenRun
from heedful.web.runs.table import open_run
from heedful.web.server import Server, address, bound
from web.chromium import Browser

TEXT = "to be, or not to be: that is the question.\n" * 40
SMALL = EncoderSpec(context=64, width=16, layers=2, heads=4, labels=("no", "yes"))
LARGE = EncoderSpec(context=512, width=96, layers=12, heads=12, labels=("no", "yes"))


def stirred(model: torch.nn.Module) -> torch.nn.Module:
    """Weights far enough from their start for heads to look at different things."""
    for weight in model.parameters():
        weight.data.add_(0.3 * torch.randn_like(weight))
    return model.eval()


def make_classifier(folder: Path, model: EncoderSpec = SMALL) -> Path:
    """A run of a classifier of words as training leaves it, without the training."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("word", [TEXT])
    spec = RunSpec(task="classify", data=DataSpec(tokenizer="word"), model=replace(model, vocabulary=tokenizer.size))
    run = Run.create(folder, spec, tokenizer)
    state = stirred(build_classifier(spec.model)).state_dict()
    save_checkpoint(run.best_path, Checkpoint(state, spec, tokenizer_state(tokenizer)))
    return run.path


def make_generator(folder: Path, context: int = 64) -> Path:
    """The same of a language model of characters."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("char", [TEXT])
    spec = RunSpec(model=DecoderSpec(context=context, width=16, layers=2, heads=4, vocabulary=tokenizer.size))
    run = Run.create(folder, spec, tokenizer)
    save_checkpoint(run.best_path, Checkpoint(stirred(build(spec.model)).state_dict(), spec, tokenizer_state(tokenizer)))
    return run.path


def make_pictures(folder: Path) -> Path:
    """The same of a transformer over the patches of small pictures."""
    torch.manual_seed(0)
    model = VisionTransformerSpec(labels=("round", "straight"), size=16, channels=1, patch=4, width=16, layers=2, heads=2)
    spec = RunSpec(task="image", data=ImageDataSpec(), model=model)
    run = Run.create(folder, spec, NoTokens())
    state = stirred(build_picture_classifier(model)).state_dict()
    save_checkpoint(run.best_path, Checkpoint(state, spec, tokenizer_state(NoTokens())))
    return run.path


def make_writer(folder: Path, task: str = "translate") -> Path:
    """The same of a model that writes one text for another, word by word."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("word", [f" {line}" for line in TEXT.split("\n")])
    model = Seq2SeqSpec(vocabulary=tokenizer.size, width=16, layers=2, heads=2, context=24)
    spec = RunSpec(task=task, data=PairSpec(tokenizer="word"), model=model)
    run = Run.create(folder, spec, tokenizer)
    built = stirred(build_seq2seq(model))
    built.get_parameter("embedding.weight").data[tokenizer.size] = 0.0  # the mark is never the likeliest, so that texts are not empty
    save_checkpoint(run.best_path, Checkpoint(built.state_dict(), spec, tokenizer_state(tokenizer)))
    return run.path


def make_listener(folder: Path) -> Path:
    """The same of a model of speech, whose transformer looks at what was heard."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("word", [" one two three"])
    encoder = ConformerSpec(width=16, layers=1, heads=2, kernel=3)
    decoder = TransformerSpellerSpec(layers=2, heads=2)
    model = ListenerSpec(vocabulary=tokenizer.size, bands=40, stem=(4,), encoder=encoder, decoder=decoder, context=8)
    spec = RunSpec(task="speech", data=SpeechDataSpec(), model=model)
    run = Run.create(folder, spec, tokenizer)
    built = stirred(build_listener(model))
    built.get_parameter("speller.head.bias").data[tokenizer.size] = -9.0  # the mark is never the likeliest, so that words are heard
    save_checkpoint(run.best_path, Checkpoint(built.state_dict(), spec, tokenizer_state(tokenizer)))
    return run.path


def make_captioner(folder: Path) -> Path:
    """The same of a model that describes small pictures."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer("word", [" a cross above one line"])
    model = CaptionerSpec(size=16, channels=1, vocabulary=tokenizer.size, stem=(8, 8), width=16, decoder_layers=2, context=8)
    spec = RunSpec(task="caption", data=CaptionDataSpec(), model=model)
    run = Run.create(folder, spec, tokenizer)
    built = stirred(build_captioner(model))
    built.get_parameter("embedding.weight").data[tokenizer.size] = 0.0  # as in make_writer
    save_checkpoint(run.best_path, Checkpoint(built.state_dict(), spec, tokenizer_state(tokenizer)))
    return run.path


def make_plan(run: Path, folder: Path) -> Path:
    """A plan of half the attention of a classifier."""
    loaded = load_classifier(run)
    batch = {"ids": loaded.tokenizer.encode(TEXT[:172])[None], "labels": torch.tensor([0])}
    return heedful.plan(heedful.profile(loaded.model, [batch]), heedful.Budget(operations=0.5)).save(folder / "plan.json")


def plan_of_pictures(run: Path, folder: Path) -> Path:
    """A plan of half the attention of a transformer over patches."""
    model = load_pictures(run, build_picture_classifier).model
    batch = {"x": torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(1)), "truth": torch.tensor([0])}

    def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(model(batch["x"]).logits, batch["truth"])

    profile = heedful.profile(model, [batch], loss=loss)
    return heedful.plan(profile, heedful.Budget(operations=0.5)).save(folder / "pictures.json")


def plan_of_words(run: Path, folder: Path) -> Path:
    """A plan of less attention of a model that writes one text for another; what looks across stays whole."""
    model = load_seq2seq(run).model
    ids = torch.randint(model.vocabulary, (1, 20), generator=torch.Generator().manual_seed(1))
    batch = {"source": ids, "lengths": torch.tensor([20]), "ids": ids}

    def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        found: torch.Tensor = model(**batch, labels=batch["ids"]).loss
        return found

    profile = heedful.profile(model, [batch], loss=loss, options=["window(4,1)", "drop"])
    return heedful.plan(profile, heedful.Budget(operations=0.7)).save(folder / "words.json")


def sound(hertz: float = 440.0, seconds: float = 0.5, rate: int = 8000) -> bytes:
    """A sound file: one tone."""
    held = io.BytesIO()
    samples = (torch.arange(int(seconds * rate)) * 2 * torch.pi * hertz / rate).sin() * 20000
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.to(torch.int16).numpy().tobytes())
    return held.getvalue()


def picture(pixel: int = 255, side: int = 20) -> bytes:
    """A picture file: a cross on a plain ground."""
    held, drawn = io.BytesIO(), Image.new("L", (side, side), 255 - pixel)
    for at in range(side):
        drawn.putpixel((at, side // 2), pixel)
        drawn.putpixel((side // 2, at), pixel)
    drawn.save(held, "PNG")
    return held.getvalue()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A classifier, a generator, pictures, a writer, a listener and a captioner."""
    folder = tmp_path_factory.mktemp("runs")
    texts = {"mood": make_classifier(folder / "mood"), "prose": make_generator(folder / "prose")}
    return {
        **texts,
        "shapes": make_pictures(folder / "shapes"),
        "words": make_writer(folder / "words"),
        "ears": make_listener(folder / "ears"),
        "eyes": make_captioner(folder / "eyes"),
    }


Start = Callable[..., TestClient]


@pytest.fixture
def start(runs: dict[str, Path]) -> Iterator[Start]:
    """A server in this process, with its event loop; closed at the end."""
    opened: list[TestClient] = []

    def started(*names: str, limits: Limits = Limits(), token: str | None = None, hosts: frozenset[str] | None = None) -> TestClient:  # noqa: B008
        hall = Hall({name: open_run(runs[name]) for name in names or ("mood", "prose")}, limits)
        client = TestClient(app_of(hall, token, hosts), raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield started
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(start: Start) -> TestClient:
    """A server of both runs without a token."""
    return start()


@contextmanager
def served(runs: dict[str, OpenRun]) -> Iterator[str]:
    """A server on a port of this machine; where it is."""
    hall = Hall(runs, Limits(timeout=120))
    listening = bound("127.0.0.1", 0)
    server = Server(uvicorn.Config(app_of(hall, hosts=LOOPBACK), log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser's window."""
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture
def browser(window: Browser) -> Iterator[Browser]:
    """The window, whose console has nothing to complain of at the end."""
    window.errors()
    yield window
    assert window.errors() == []
