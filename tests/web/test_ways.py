"""Recordings and captions kept open: what was heard and written, over the recording and the picture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from starlette.testclient import TestClient

from heedful.errors import UsageError
from heedful.tasks.task import Asked
from heedful.web.runs.run import OpenRun, Upload, Wanted
from heedful.web.runs.table import open_run
from web.conftest import Start, picture, plan_of_pictures, plan_of_words, sound

pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def ears(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["ears"])


@pytest.fixture(scope="module")
def eyes(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["eyes"])


@pytest.fixture
def client(start: Start) -> TestClient:
    return start("ears", "eyes", "shapes", "mood")


def index_of(page: str) -> list[dict[str, object]]:
    return [json.loads(found) for found in re.findall(r'class="index">(.*?)</script>', page)]


def bring(client: TestClient, run: str, content: bytes, name: str) -> str:
    found: str = client.post(f"/run/{run}/bring", params={"name": name}, content=content).json()["id"]
    return found


def test_a_recording_with_the_weights_over_its_seconds(ears: OpenRun) -> None:
    reading = ears.read(Wanted("", file=Upload("tone.wav", sound())))
    said, times = reading.texts
    assert said[-1] == "■"
    assert (times[0], times[1]) == ("0.00 s", "0.02 s")  # a stem of one stride of two over frames of 10 ms
    assert reading.laid is not None
    assert (reading.laid.text, reading.laid.columns) == (1, len(times))
    assert reading.laid.pixels.shape == (1, 40, 2 * len(times))
    assert reading.laid.axes is not None
    assert reading.laid.axes.across.name == "seconds"
    assert [text for _, text in reading.laid.axes.up.ticks] == ["125", "250", "500", "1000", "2000", "3000"]
    for layer in range(2):
        weights = reading.head(layer, 1)
        assert weights.shape == (len(said), len(times))
        assert torch.allclose(weights.sum(-1), torch.ones(len(said)), atol=len(times) * 2**-23)
    brightest = int(reading.laid.pixels[0, :, 40].argmax())  # rows from the highest band: where a tone of 440 Hz is loudest
    height = 1 - (brightest + 0.5) / 40
    low, high = (at for at, text in reading.laid.axes.up.ticks if text in ("250", "500"))
    assert low < height < high


def test_a_caption_with_the_weights_over_its_cells(eyes: OpenRun) -> None:
    reading = eyes.read(Wanted("", file=Upload("cross.png", picture())))
    written, cells = reading.texts
    assert (written[-1], cells[5]) == ("■", "2·2")
    assert reading.laid is not None
    assert (reading.laid.text, reading.laid.columns) == (1, 4)
    assert [each.weights.shape for each in reading.maps] == [(4, len(written), 16)] * 2


@pytest.mark.parametrize(("name", "content"), [("ears", sound()), ("eyes", picture())])
def test_muting_what_looks_across_changes_the_answer_and_nothing_stays(runs: dict[str, Path], name: str, content: bytes) -> None:
    run, file = open_run(runs[name]), Upload("file", content)
    before = run.read(Wanted("", file=file))
    heads = tuple((layer, head) for layer, each in enumerate(before.maps) for head in range(len(each.weights)))
    silent = run.read(Wanted("", file=file, silent=heads))
    assert silent.record["score"] != before.record["score"]
    assert silent.index()["layers"][0]["silent"] == list(range(len(before.maps[0].weights)))
    assert run.read(Wanted("", file=file)).record == before.record
    with pytest.raises(UsageError, match="layer 3, head 1"):
        run.read(Wanted("", file=file, silent=((2, 0),)))


def test_what_counted_lies_over_the_recording(client: TestClient) -> None:
    page = client.post("/run/ears/answer/file?name=tone.wav", content=sound()).text
    name = re.findall(r'data-id="(\w+)"', page)[0]
    found = client.post("/run/ears/reason", data={"reading": name, "method": "occlusion"}).text
    assert "hertz (mel scale)" in found
    assert "0.00 to 0.04 s" in found
    assert "arrow keys move over the cells" in found
    assert "hertz (mel scale)" in client.get(f"/run/ears/reading/{name}/page.html").text


@pytest.mark.parametrize(
    ("run", "one", "other"), [("ears", sound(), sound(880.0)), ("eyes", picture(), picture(0)), ("shapes", picture(), picture(0))]
)
def test_two_files_side_by_side(client: TestClient, run: str, one: bytes, other: bytes) -> None:
    ids = [bring(client, run, content, f"{i}.file") for i, content in enumerate((one, other))]
    page = client.post(f"/run/{run}/compare", data={"what": "inputs", "text": ids[0], "other": ids[1]}).text
    first, second = index_of(page)
    assert first["record"] != second["record"]
    heads = client.post(f"/run/{run}/compare", data={"what": "heads", "text": ids[0]}).text
    assert [found["record"] for found in index_of(heads)] == [first["record"]] * 2
    assert re.findall(r'data-open="([\d.]+)"', heads) == ["1.1", "1.2"]
    methods = client.post(f"/run/{run}/compare", data={"what": "methods", "text": ids[0], "one": "quick", "two": "occlusion"}).text
    assert methods.count('class="overlaid') == 2


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"what": "inputs"}, "there is no file"),
        ({"what": "inputs", "text": "0123456789abcdef"}, "asking again would work"),
        ({"what": "plan", "text": "there"}, "heedful serve RUN --plan PLAN"),
        ({"what": "colours", "text": "there"}, "cannot be compared"),
    ],
)
def test_what_cannot_be_compared_is_said(client: TestClient, fields: dict[str, str], part: str) -> None:
    there = bring(client, "shapes", picture(), "cross.png")
    response = client.post("/run/shapes/compare", data={name: there if value == "there" else value for name, value in fields.items()})
    assert response.status_code == 400
    assert part in response.text


def test_no_file_is_brought_to_a_run_of_texts_and_none_that_is_empty(client: TestClient) -> None:
    assert client.post("/run/mood/bring?name=a.png", content=picture()).status_code == 400
    assert "is empty" in client.post("/run/shapes/bring?name=a.png", content=b"").json()["error"]


def test_the_page_says_why_something_is_not_compared(client: TestClient) -> None:
    page = client.get("/run/shapes/compare").text
    assert 'value="inputs"' in page
    assert 'value="plan"' not in page
    assert "No comparing with and without the plan: the run is served without one" in page


def test_pictures_with_and_without_a_plan(runs: dict[str, Path], tmp_path: Path) -> None:
    run = open_run(runs["shapes"], plan_of_pictures(runs["shapes"], tmp_path))
    file = Upload("cross.png", picture())
    before, after = (run.read(Wanted("", file=file, planned=planned)) for planned in (False, True))
    assert run.facts()["planned"]
    assert any(not torch.equal(one.weights, other.weights) for one, other in zip(before.maps, after.maps, strict=True))
    assert before.record == open_run(runs["shapes"]).read(Wanted("", file=file)).record
    with pytest.raises(UsageError, match="without its plan"):
        run.read(Wanted("", file=file, planned=True, silent=((0, 0),)))


def test_a_translation_with_and_without_a_plan(runs: dict[str, Path], tmp_path: Path) -> None:
    run = open_run(runs["words"], plan_of_words(runs["words"], tmp_path))
    assert run.why_unplanned is None
    text = "the play was a joy from end to end and the people laughed"
    before, after = (run.read(Wanted(text, planned=planned)) for planned in (False, True))
    assert before.maps[0].weights.shape == after.maps[0].weights.shape  # those that look across keep all their heads
    assert not torch.equal(before.maps[0].weights, after.maps[0].weights)


def test_a_plan_of_another_model_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_run(runs["ears"], plan_of_pictures(runs["shapes"], tmp_path))


def test_a_client_names_no_recording_of_the_runs_own(ears: OpenRun) -> None:
    with pytest.raises(UsageError, match="a file would work"):
        ears.answer("test:0", Asked())
