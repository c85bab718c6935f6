"""Readings: every head's weights, sinks on their own scale, heads muted, and what is kept of them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.task import Asked
from heedful.web.parcel import parcel, place, small
from heedful.web.reading import Map, Reading, looks_back, sinks_of
from heedful.web.runs.muting import muted
from heedful.web.runs.run import OpenRun, Wanted
from heedful.web.runs.table import named, open_run
from heedful.web.store import Store
from web.conftest import make_plan

TEXT = "to be, or not to be: that is the question."
LIKELIEST = Asked(Sampling(temperature=0.0), Ending(max_tokens=8), 0)


@pytest.fixture(scope="module")
def mood(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["mood"])


@pytest.fixture(scope="module")
def prose(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["prose"])


def unpacked(content: bytes) -> tuple[Tensor, list[int]]:
    """The weights as the page reads them."""
    queries, keys, step, size, count = struct.unpack("<5I", content[:20])
    top, sink_top = struct.unpack("<2f", content[20:28])
    sinks = list(struct.unpack(f"<{count}I", content[28 : 28 + 4 * count]))
    cells = np.frombuffer(content[28 + 4 * count :], dtype="<u1" if size == 1 else "<u2").reshape(-(-queries // step), -(-keys // step))
    scale = torch.full((cells.shape[1],), top)
    scale[[sink // step for sink in sinks]] = sink_top
    return torch.from_numpy(cells.astype("float32")) / (255 if size == 1 else 65535) * scale, sinks


def test_what_is_sent_is_what_was_read_to_four_decimals() -> None:
    weights = torch.rand(30, 41).softmax(-1)
    found, sinks = unpacked(parcel(weights))
    assert sinks == []
    assert (found - weights).abs().max() <= weights.max() / 65535 / 2 + 2**-24


def test_a_sink_does_not_drown_the_others() -> None:
    weights = (torch.rand(20, 20) * 3).softmax(-1) * 0.1
    weights[:, 0] += 0.9
    content = parcel(weights)
    found, sinks = unpacked(content)
    top, sink_top = struct.unpack("<2f", content[20:28])
    assert sinks == [0]
    assert top == pytest.approx(float(weights[:, 1:].max()))
    assert sink_top == pytest.approx(float(weights[:, 0].max()))
    assert (found - weights)[:, 1:].abs().max() <= top / 65535 / 2 + 2**-24


def test_the_last_tokens_of_a_causal_head_are_no_sinks() -> None:
    weights = torch.eye(20) * 0.8 + torch.ones(20, 20).tril() * 0.01
    assert looks_back(weights)
    assert sinks_of(weights, back=True) == []
    weights = torch.zeros(20, 20)
    weights[:, 0] = 1.0
    assert sinks_of(weights, back=True) == [0]


def test_small_pictures_show_the_largest_of_their_blocks() -> None:
    weights = torch.zeros(2, 100, 100)
    weights[0, 57, 3] = 0.5
    weights[1, 0, 99] = 0.25
    rows, columns = struct.unpack("<2I", small(Map("layer", weights), side=40)[:8])
    cells = np.frombuffer(small(Map("layer", weights), side=40)[8:], dtype="u1").reshape(2, rows, columns)
    assert (rows, columns) == (34, 34)
    assert cells[0, 57 // 3, 1] == 255
    assert cells[1, 0, 33] == 255
    assert (cells > 0).sum() == 2


def test_heads_of_a_reading_are_those_of_the_model(mood: OpenRun) -> None:
    reading = mood.read(Wanted(TEXT))
    run = mood.loaded  # type: ignore[attr-defined]
    ids = run.tokenizer.encode(TEXT)[None]
    traces = run.model(ids, trace=True).traces
    assert torch.equal(reading.head(1, 2), traces[1].weights[0, 2].detach())
    assert torch.allclose(reading.head(None, None).sum(-1), torch.ones(ids.shape[1]), atol=ids.shape[1] * 2**-23)
    with pytest.raises(UsageError, match="1 to 4 would work"):
        reading.head(0, 4)
    with pytest.raises(UsageError, match="1 to 2 would work"):
        reading.head(2, 0)


def test_a_continuation_is_read_as_it_was_made(prose: OpenRun) -> None:
    reading = prose.read(Wanted("to be", asked=LIKELIEST))
    assert reading.start == 5
    assert list(reading.texts[0][5:]) == [row[0][0] for row in reading.likely]  # the likeliest was always taken
    assert "".join(reading.texts[0][5:]).replace("␣", " ").replace("↵", "\n") == reading.record["text"]
    assert all(looks_back(reading.head(layer, head)) for layer in range(2) for head in range(4))


def test_muting_every_head_is_a_model_without_attention(mood: OpenRun) -> None:
    model = mood.loaded.model  # type: ignore[attr-defined]
    ids = mood.loaded.tokenizer.encode(TEXT)[None]  # type: ignore[attr-defined]
    before = model(ids).logits
    with muted(model, [(layer, head) for layer in range(2) for head in range(4)]), torch.no_grad():
        silent = model(ids).logits
        biases = [block.attention.out_proj.bias for block in model.layers]
        expected = ids_without_attention(model, ids, biases)
    assert torch.allclose(silent, expected, atol=1e-5)  # float32 sums of some 16 numbers of size 10
    assert torch.equal(model(ids).logits, before)


def ids_without_attention(model: torch.nn.Module, ids: Tensor, biases: list[Tensor | None]) -> Tensor:
    """The logits where each attention layer adds its bias alone."""
    hooks = [
        block.attention.register_forward_hook(lambda layer, given, out, bias=bias: given[0] * 0 + (0 if bias is None else bias))
        for block, bias in zip(model.layers, biases, strict=True)
    ]
    try:
        return model(ids).logits
    finally:
        for hook in hooks:
            hook.remove()


def test_heads_there_are_not_cannot_be_muted(mood: OpenRun) -> None:
    with pytest.raises(UsageError, match="layer 1, head 9"):
        mood.read(Wanted(TEXT, silent=((0, 8),)))


def test_what_is_let_go_is_made_again() -> None:
    store = Store(300)
    readings = [Reading({}, (["a"],), (Map("one", torch.zeros(1, 5, 10)),)) for _ in range(3)]
    names = [store.name("mine", Wanted(text)) for text in "abc"]
    for name, reading in zip(names, readings, strict=True):
        store.keep(name, reading)
    assert store.held(names[0]) is None
    assert store.held(names[2]) is readings[2]
    assert store.bytes == 200
    assert store.wanted(names[0]).text == "a"
    assert len(set(names)) == 3
    with pytest.raises(UsageError, match="asking again"):
        store.wanted("none")


@pytest.mark.parametrize("name", ["", "0", "1.", "1.x", "²", "1.2.3", "a.1", "9" * 30])
def test_names_of_no_head(name: str) -> None:
    with pytest.raises(UsageError, match="names no head"):
        place(name)


def test_two_runs_of_one_name() -> None:
    with pytest.raises(UsageError, match="two runs are called 'a'"):
        named([Path("x/a"), Path("y/a")])
    with pytest.raises(UsageError, match="cannot be called"):
        named([Path("a b=y/a")])


@pytest.fixture(scope="module")
def planned(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> OpenRun:
    """The classifier beside itself under a plan of half its attention."""
    return open_run(runs["mood"], make_plan(runs["mood"], tmp_path_factory.mktemp("plan")))


def test_the_model_with_and_without_its_plan(planned: OpenRun, mood: OpenRun) -> None:
    plain, under = planned.read(Wanted(TEXT * 4)), planned.read(Wanted(TEXT * 4, planned=True))
    assert planned.facts()["planned"]
    assert plain.texts == under.texts
    assert plain.record == mood.read(Wanted(TEXT * 4)).record
    assert [each.weights.shape for each in plain.maps] == [each.weights.shape for each in under.maps]
    assert not any(bool((each.weights == 0).any()) for each in plain.maps)
    assert any(bool((each.weights == 0).any()) for each in under.maps)  # what lies beyond a head's window
    with pytest.raises(UsageError, match="without its plan"):
        planned.read(Wanted(TEXT, silent=((0, 0),), planned=True))
    with pytest.raises(UsageError, match="heedful serve --plan"):
        mood.read(Wanted(TEXT, planned=True))


@pytest.mark.parametrize("method", ["auto", "quick", "rollout", "occlusion"])
def test_methods_score_every_token(mood: OpenRun, prose: OpenRun, method: str) -> None:
    for run, wanted in ((mood, Wanted(TEXT)), (prose, Wanted("to be", asked=LIKELIEST))):
        found = run.reasons(wanted, method)
        assert len(found.scores) == len(found.tokens) >= 5
        assert any(found.scores)
        assert found.about


def test_an_unknown_method_is_named(mood: OpenRun) -> None:
    with pytest.raises(UsageError, match="rolout"):
        mood.reasons(Wanted(TEXT), "rolout")
