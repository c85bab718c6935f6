"""The pages' parts as the server makes them; tests/web/test_browser.py looks at them in a browser."""

from __future__ import annotations

import json
import re

import pytest
from starlette.testclient import TestClient

from heedful.web.drawn import VIEWS, static
from web.conftest import Start

NASTY = "</script><img src=x onerror=alert(1)>"


def test_a_run_alone_is_the_first_page(start: Start) -> None:
    assert start("mood").get("/").url.path == "/run/mood"


def test_an_answer_with_what_was_read(client: TestClient) -> None:
    page = client.post("/run/mood/answer", data={"text": "to be, or not"}).text
    index = json.loads(re.findall(r'class="index">(.*?)</script>', page)[0])
    assert index["texts"] == [["␣to", "␣be", ",", "␣or", "␣not"]]
    assert [layer["heads"] for layer in index["layers"]] == [4, 4]
    assert "never why it decided" in page
    name = re.findall(r'data-id="(\w+)"', page)[0]
    assert len(client.get(f"/run/mood/reading/{name}/head/1.2").content) == 28 + 2 * 25
    assert len(client.get(f"/run/mood/reading/{name}/small/1").content) == 8 + 4 * 25
    assert client.get(f"/run/mood/reading/{name}/head/3.1").status_code == 400
    assert client.get(f"/run/mood/reading/{name}/small/2").status_code == 404
    assert client.get("/run/mood/reading/nothing/head/mean").status_code == 400


def test_what_a_reader_types_is_never_markup(client: TestClient) -> None:
    for page in (
        client.post("/run/mood/answer", data={"text": NASTY}).text,
        client.post("/run/prose/answer", data={"text": "to", "seed": NASTY}).text,
        client.get("/run/mood", params={"text": NASTY}).text,
        client.post("/run/mood/compare", data={"what": NASTY, "text": "to be"}).text,
    ):
        assert "<img" not in page


def test_muting_says_what_it_changed(client: TestClient) -> None:
    page = client.post("/run/mood/answer", data={"text": "to be, or not", "silent": "1.1 2.3"}).text
    assert "layer 1 head 1, layer 2 head 3 muted" in page
    assert "by muting" in page


@pytest.mark.parametrize(
    ("fields", "part"), [({"silent": "1.x"}, "names no head"), ({"silent": "mean"}, "no single head"), ({"planned": "1"}, "without a plan")]
)
def test_what_cannot_be_shown_is_said_in_its_place(client: TestClient, fields: dict[str, str], part: str) -> None:
    response = client.post("/run/mood/answer", data={"text": "to be", **fields})
    assert response.status_code == 400
    assert part in response.text
    assert 'role="alert"' in response.text


def test_two_inputs_side_by_side(client: TestClient) -> None:
    page = client.post("/run/mood/compare", data={"what": "inputs", "text": "to be", "other": "that is"}).text
    assert page.count('class="reading"') == 2
    assert "difference" not in page  # they do not read the same words


def test_the_saved_page_holds_all_it_needs(client: TestClient) -> None:
    page = client.post("/run/mood/answer", data={"text": "to be, or not"}).text
    name = re.findall(r'data-id="(\w+)"', page)[0]
    whole = client.get(f"/run/mood/reading/{name}/page.html").text
    held = json.loads(re.findall(r'id="heads">(.*?)</script>', whole)[0])
    assert set(held) == {"mean", *(f"{layer}.{head}" for layer in (1, 2) for head in (1, 2, 3, 4))}
    assert not re.search(r'(src|href)="(?!data:|/run/|#)', whole)
    assert len(whole.encode()) < 200_000


def test_no_script_ends_its_own_element() -> None:
    assert not any("</script" in static(name) for name in VIEWS)
