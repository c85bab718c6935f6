"""The API as a client meets it, in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import torch
from starlette.testclient import TestClient

from heedful.errors import DataError, UsageError
from heedful.tasks.table import TASKS
from heedful.tasks.task import Asked
from heedful.web.api import on_disk
from heedful.web.limits import Limits
from heedful.web.runs.other import FILES
from heedful.web.runs.table import open_run
from web.conftest import Start

TEXTS = ["to be", "or not to be: that is the question. to be, or not", "that is the question", "question"]


def events(body: str) -> list[tuple[str, dict[str, object]]]:
    """Server-sent events as the HTML standard reads them."""
    blocks = [block.split("\n") for block in body.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_health_and_runs(client: TestClient) -> None:
    assert client.get("/health").json()["runs"] == ["mood", "prose"]
    about = {run["name"]: run for run in client.get("/runs").json()}
    assert about["mood"]["facts"]["labels"] == ["no", "yes"]
    assert about["mood"]["facts"]["heads"] == 4
    assert about["prose"]["doors"] == ["predict", "explain", "generate"]


def test_answers_come_in_the_order_of_their_inputs(client: TestClient) -> None:
    together = client.post("/predict", json={"run": "mood", "inputs": TEXTS}).json()["answers"]
    assert [answer["text"] for answer in together] == TEXTS
    assert len({answer["confidence"] for answer in together}) > 1


def test_a_batched_answer_equals_the_single_one(runs: dict[str, Path]) -> None:
    # In float64 what padding and the order of sums change is below 2^-53 x the number of operations, and records keep six decimals.
    run = open_run(runs["mood"])
    run.loaded.model.double()  # type: ignore[attr-defined]
    many = [" ".join(text.split()[: 1 + i % 5]) for i, text in enumerate(TEXTS * 4)]
    together = run.answers(many, Asked())
    alone = [run.answers([text], Asked())[0] for text in many]
    assert together == alone


def test_rounder_numbers_give_answers_as_near_together_as_alone(runs: dict[str, Path]) -> None:
    # House rule: a fast form is at most twice as far from the exact one as the plain form of its precision, and one rounding of the result.
    exact, rounder = open_run(runs["mood"]), open_run(runs["mood"], None, "bf16")
    many = [" ".join(text.split()[: 1 + i % 5]) for i, text in enumerate(TEXTS * 4)]

    def of(answers: list[object]) -> torch.Tensor:
        return torch.tensor([answer["probabilities"]["yes"] for answer in answers])  # type: ignore[index]

    wanted = of(list(exact.answers(many, Asked())))
    alone = (of([rounder.answers([text], Asked())[0] for text in many]) - wanted).abs().max()
    together = (of(list(rounder.answers(many, Asked()))) - wanted).abs().max()
    assert 0 < alone < 0.5
    assert together <= 2 * (alone + 2**-9)


def test_rounder_numbers_are_for_classifiers(runs: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="--precision bf16 is for runs of classify"):
        open_run(runs["prose"], None, "bf16")


def test_the_answer_is_what_the_command_says(client: TestClient, runs: dict[str, Path]) -> None:
    from heedful.tasks.table import task_of

    said = next(iter(task_of(runs["mood"]).predict(runs["mood"], ["to be"], Asked()))).record()
    assert client.post("/predict", json={"run": "mood", "inputs": ["to be"]}).json()["answers"] == [dict(said)]


def test_a_continuation_streams_what_it_is(client: TestClient) -> None:
    asked = {"run": "prose", "input": "to be", "max_tokens": 12, "seed": 3}
    whole = client.post("/generate", json={**asked, "stream": False}).json()["answer"]
    response = client.post("/generate", json=asked)
    assert response.headers["content-type"].startswith("text/event-stream")
    told = events(response.text)
    assert told[-1] == ("done", {"run": "prose", "answer": whole})
    assert "".join(str(data["text"]) for name, data in told if name == "token") == whole["text"]
    assert len(told) > 6
    assert client.post("/predict", json={"run": "prose", "inputs": ["to be"], "drawing": {"max_tokens": 12, "seed": 3}}).json()[
        "answers"
    ] == [whole]


def test_stop_strings_and_seeds_count(client: TestClient) -> None:
    asked = {"run": "prose", "input": "to be", "max_tokens": 30, "seed": 1, "stream": False}
    text = client.post("/generate", json=asked).json()["answer"]["text"]
    other = client.post("/generate", json={**asked, "seed": 2}).json()["answer"]["text"]
    cut = client.post("/generate", json={**asked, "stop": [text[4]]}).json()["answer"]["text"]
    assert text != other
    assert cut == text[: text.index(text[4])]


def test_explanations(client: TestClient) -> None:
    found = client.post("/explain", json={"run": "mood", "input": "to be, or not", "page": True}).json()
    assert found["explanation"]["label"] in ("no", "yes")
    assert found["page"].startswith("<!doctype html>")
    made = client.post("/explain", json={"run": "prose", "input": "to be", "drawing": {"max_tokens": 3, "seed": 0}}).json()
    assert made["page"] is None
    assert made["explanation"]["tokens"] == 3


REFUSED = [
    ("/predict", {"run": "mood", "inputs": [""]}, 400, "nothing to classify"),
    ("/predict", {"inputs": ["a"]}, 400, "several runs are served"),
    ("/predict", {"run": "moood", "inputs": ["a"]}, 400, "did you mean 'mood'"),
    ("/predict", {"run": "mood", "inputs": ["a"] * 65}, 400, "64"),
    ("/predict", {"run": "mood", "inputs": ["a"], "drawing": {}}, 400, "draws nothing"),
    ("/predict", {"run": "mood", "inputs": []}, 422, "inputs"),
    ("/predict", {"run": "mood", "inputs": ["a"], "extra": 1}, 422, "extra"),
    ("/predict", {"run": "mood", "inputs": "a"}, 422, "inputs"),
    ("/generate", {"run": "mood", "input": "a"}, 400, "goes on with no text"),
    ("/generate", {"run": "prose", "input": "Ä"}, 400, "Ä"),
    ("/generate", {"run": "prose", "max_tokens": 5000}, 400, "2,000 at most"),
    ("/generate", {"run": "prose", "max_tokens": 10**40}, 422, "max_tokens"),
    ("/generate", {"run": "prose", "temperature": -1}, 422, "temperature"),
    ("/explain", {"run": "mood", "input": "to be", "layer": 3}, 400, "1 to 2 would work"),
]


@pytest.mark.parametrize(("door", "body", "status", "part"), REFUSED)
def test_refusals_are_one_line(client: TestClient, door: str, body: dict[str, object], status: int, part: str) -> None:
    response = client.post(door, json=body)
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert part in response.json()["error"]
    assert "\n" not in response.json()["error"]


def test_half_a_surrogate_pair_is_no_text(client: TestClient) -> None:
    body = b'{"run": "mood", "inputs": ["\\ud800"]}'
    response = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert "surrogate" in response.json()["error"]


def test_one_bad_input_does_not_spoil_those_of_others(runs: dict[str, Path]) -> None:
    found = open_run(runs["mood"]).answers(["to be", "", "that is"], Asked())
    assert [isinstance(one, Exception) for one in found] == [False, True, False]


def test_files_are_sent_as_they_are(client: TestClient) -> None:
    sent = client.post("/predict/file?run=mood", content=b"to be").json()["answers"]
    assert sent == client.post("/predict", json={"run": "mood", "inputs": ["to be"]}).json()["answers"]
    refused = client.post("/predict/file?run=mood", content=b"\xff\xfe\x00")
    assert refused.status_code == 400
    assert "no text in UTF-8" in refused.json()["error"]


def test_the_file_is_gone_afterwards_and_named_as_the_client_did() -> None:
    paths: list[str] = []

    async def refuse(path: str) -> None:
        paths.append(path)
        assert Path(path).read_bytes() == b"content"
        raise DataError(f"{path}: no picture")

    with pytest.raises(UsageError, match=r"^cat\.png: no picture$"):
        asyncio.run(on_disk(b"content", "cat.png", refuse))
    assert paths[0].endswith(".png")
    assert not Path(paths[0]).exists()


def test_files_are_explained_too(client: TestClient) -> None:
    found = client.post("/explain/file?run=mood&page=true", content=b"to be, or not").json()
    assert found["explanation"]["label"] in ("no", "yes")
    assert found["page"].startswith("<!doctype html>")


def test_every_task_is_known_by_what_it_reads() -> None:
    # A task whose inputs are paths must stand in FILES, or a client could name a file of the server's.
    texts = {"generate", "classify", "translate", "summarise", "match", "recommend"}
    assert {task.name for task in TASKS} <= texts | FILES


def test_counters_say_what_was_served(client: TestClient) -> None:
    client.post("/predict", json={"run": "mood", "inputs": TEXTS})
    client.get("/nowhere")
    text = client.get("/metrics").text
    assert 'heedful_requests_total{door="/predict",status="200"} 1' in text
    assert 'heedful_requests_total{door="other",status="404"} 1' in text
    assert 'heedful_batch_size_sum{run="mood"} 4.000000' in text


def test_bodies_that_are_too_large(start: Start) -> None:
    client = start("mood", limits=Limits(body=100))
    response = client.post("/predict", json={"inputs": ["a" * 200]})
    assert response.status_code == 413
    streamed = client.post(
        "/predict", content=(b'{"inputs": ["' + b"a" * 60 for _ in range(4)), headers={"Content-Type": "application/json"}
    )
    assert streamed.status_code == 413
    assert "100 or fewer" in streamed.json()["error"]
    assert client.post("/predict", json={"inputs": ["to be"]}).status_code == 200


def test_an_answer_that_takes_too_long(start: Start) -> None:
    client = start("prose", limits=Limits(timeout=0.001))
    response = client.post("/generate", json={"input": "to be", "max_tokens": 500, "stream": False})
    assert response.status_code == 504
    assert "would work" in response.json()["error"]


def test_openapi_names_every_door_and_refusal(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    assert set(spec["paths"]) == {"/health", "/metrics", "/runs", "/predict", "/predict/file", "/explain", "/explain/file", "/generate"}
    assert {"200", "400", "401", "413", "422", "429", "504"} <= set(spec["paths"]["/predict"]["post"]["responses"])


def test_nothing_learns(client: TestClient, runs: dict[str, Path]) -> None:
    before = torch.get_rng_state()
    client.post("/predict", json={"run": "mood", "inputs": ["to be"]})
    assert torch.equal(before, torch.get_rng_state())
