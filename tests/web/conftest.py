"""Runs that have learnt nothing, and servers of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from starlette.testclient import TestClient

from heedful.data.tokens import tokenizer_state, train_tokenizer
from heedful.models.build import build
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.classifiers import build_classifier
from heedful.spec import DataSpec, DecoderSpec, EncoderSpec, RunSpec
from heedful.train.run import Run
from heedful.web.app import build as app_of
from heedful.web.hall import Hall
from heedful.web.limits import Limits
from heedful.web.runs.table import open_run

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


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A classifier and a generator."""
    folder = tmp_path_factory.mktemp("runs")
    return {"mood": make_classifier(folder / "mood"), "prose": make_generator(folder / "prose")}


Start = Callable[..., TestClient]


@pytest.fixture
def start(runs: dict[str, Path]) -> Iterator[Start]:
    """A server in this process, with its event loop; closed at the end."""
    opened: list[TestClient] = []

    def started(*names: str, limits: Limits = Limits(), token: str | None = None, hosts: frozenset[str] | None = None) -> TestClient:  # noqa: B008
        hall = Hall({name: open_run(runs[name]) for name in names or runs}, limits)
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
