"""Pictures that are brought, and texts written for others: their answers, readings, and what the page shows of them."""

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
from heedful.web.store import Store
from web.conftest import Start, picture

TEXT = "to be, or not to be"


@pytest.fixture(scope="module")
def shapes(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["shapes"])


@pytest.fixture(scope="module")
def words(runs: dict[str, Path]) -> OpenRun:
    return open_run(runs["words"])


@pytest.fixture
def both(start: Start) -> TestClient:
    return start("shapes", "words")


def index_of(page: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(re.findall(r'class="index">(.*?)</script>', page)[0])
    return found


def test_many_pictures_are_answered_as_each_alone(shapes: OpenRun, tmp_path: Path) -> None:
    paths = []
    for i, pixel in enumerate((0, 100, 255)):
        (tmp_path / f"{i}.png").write_bytes(picture(pixel))
        paths.append(str(tmp_path / f"{i}.png"))
    shapes.loaded.model.double()  # type: ignore[attr-defined]  # rounding is then far below the six decimals of a record
    try:
        together = shapes.answers([*paths, str(tmp_path / "none.png")], Asked())
        assert together[:3] == [shapes.answers([path], Asked())[0] for path in paths]
        assert "no such file" in str(together[3])
        assert len({found["confidence"] for found in together[:3]}) == 3  # type: ignore[index]
    finally:
        shapes.loaded.model.float()  # type: ignore[attr-defined]


def test_a_client_names_no_picture_of_the_runs_own(both: TestClient, shapes: OpenRun) -> None:
    with pytest.raises(UsageError, match="a file would work"):
        shapes.answer("test:0", Asked())
    refused = both.post("/predict", json={"run": "shapes", "inputs": ["/etc/passwd"]})
    assert refused.status_code == 400
    assert "/predict/file" in refused.json()["error"]


def test_a_picture_that_is_sent_keeps_its_clients_name(both: TestClient) -> None:
    asked = {"run": "shapes", "name": "<my> cross.png", "page": "true"}
    sent = both.post("/predict/file", params=asked, content=picture()).json()["answers"][0]
    assert sent["image"] == "<my> cross.png"
    told = both.post("/explain/file", params=asked, content=picture()).json()
    assert told["explanation"]["image"] == "<my> cross.png"
    assert "heedful-" not in told["page"]
    assert "<my>" not in told["page"]


def test_a_picture_with_the_weights_over_its_patches(shapes: OpenRun) -> None:
    reading = shapes.read(Wanted("", file=Upload("cross.png", picture())))
    assert len(reading.texts[0]) == 16
    assert reading.texts[0][5] == "2·2"
    assert reading.laid is not None
    assert reading.laid.columns == 4
    assert [each.weights.shape for each in reading.maps] == [(2, 16, 16)] * 2
    assert torch.allclose(reading.head(0, 1).sum(-1), torch.ones(16), atol=16 * 2**-23)
    silent = shapes.read(Wanted("", file=Upload("cross.png", picture()), silent=((0, 0), (1, 1))))
    assert silent.record["probabilities"] != reading.record["probabilities"]


@pytest.mark.parametrize("method", ["auto", "occlusion", "rollout"])
def test_a_picture_is_explained_cell_by_cell(shapes: OpenRun, method: str) -> None:
    found = shapes.reasons(Wanted("", file=Upload("cross.png", picture())), method)
    assert found.laid is not None
    assert found.laid.columns == 4
    assert len(found.scores) == len(found.tokens) == 16
    assert any(found.scores)


def test_a_picture_on_the_page(both: TestClient) -> None:
    page = both.post("/run/shapes/answer/file?name=cross.png", content=picture()).text
    index = index_of(page)
    assert index["columns"] == 4
    assert 'class="photo"' in page
    assert page.count("data:image/png") >= 3  # the picture, and what was read over it
    name = re.findall(r'data-id="(\w+)"', page)[0]
    assert len(both.get(f"/run/shapes/reading/{name}/head/1.2").content) >= 28 + 2 * 16 * 16
    assert "arrow keys move over the cells" in both.post("/run/shapes/reason", data={"reading": name, "method": "occlusion"}).text
    muted = both.post("/run/shapes/answer/file?name=cross.png&silent=1.1", content=picture()).text
    assert "layer 1 head 1 muted" in muted
    assert "data:image/png" in both.get(f"/run/shapes/reading/{name}/page.html").text


@pytest.mark.parametrize(("content", "part"), [(b"", "is empty"), (b"no picture", "no picture.txt: ")])
def test_what_is_no_picture_is_said(both: TestClient, content: bytes, part: str) -> None:
    response = both.post("/run/shapes/answer/file?name=no picture.txt", content=content)
    assert response.status_code == 400
    assert part in response.text
    assert 'role="alert"' in response.text


def test_texts_are_for_runs_of_texts(both: TestClient) -> None:
    assert both.post("/run/words/answer/file?name=a.png", content=picture()).status_code == 400
    assert both.post("/run/shapes/answer", data={"text": "to be"}).status_code == 400


def test_what_was_written_and_where_it_looked(words: OpenRun) -> None:
    reading = words.read(Wanted(TEXT))
    written, source = reading.texts
    assert reading.aligned
    assert source[-1] == written[-1] == "■"
    assert source[:7] == ["␣to", "␣be", ",", "␣or", "␣not", "␣to", "␣be"]
    for layer in range(2):
        weights = reading.head(layer, 1)
        assert weights.shape == (len(written), len(source))
        assert torch.allclose(weights.sum(-1), torch.ones(len(written)), atol=len(source) * 2**-23)


def test_muting_what_looks_across_changes_what_is_written_and_nothing_stays(words: OpenRun) -> None:
    before = words.read(Wanted(TEXT))
    silent = words.read(Wanted(TEXT, silent=tuple((layer, head) for layer in range(2) for head in range(2))))
    after = words.read(Wanted(TEXT))
    assert silent.record["score"] != before.record["score"]
    assert after.record == before.record
    with pytest.raises(UsageError, match="layer 3, head 1"):
        words.read(Wanted(TEXT, silent=((2, 0),)))


def test_an_alignment_on_the_page(both: TestClient) -> None:
    page = both.post("/run/words/answer", data={"text": TEXT}).text
    assert index_of(page)["aligned"] is True
    assert "What was read" in page
    assert both.post("/predict", json={"run": "words", "inputs": [TEXT]}).json()["answers"][0]["source"] == TEXT


def test_the_source_of_what_was_written_is_scored(words: OpenRun) -> None:
    found = words.reasons(Wanted(TEXT), "occlusion")
    assert len(found.scores) == len(found.tokens) >= 6


def test_files_are_let_go_when_there_are_too_many() -> None:
    store = Store(250)
    names = [store.name("mine", Wanted("", file=Upload(f"{i}.png", bytes(100)))) for i in range(3)]
    assert store.brought == 200
    assert store.wanted(names[2]).file is not None
    with pytest.raises(UsageError, match="asking again"):
        store.wanted(names[0])
    assert store.name("mine", Wanted("", file=Upload("2.png", bytes(100)))) == names[2]
    assert store.brought == 200
    assert store.name("mine", Wanted("", file=Upload("2.png", bytes(99) + b"1"))) != names[2]
