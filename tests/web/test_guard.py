"""Who may come in, and from where."""

from __future__ import annotations

from web.conftest import Start

ASK = {"run": "mood", "inputs": ["to be"]}


def test_without_the_token_nobody_is_answered(start: Start) -> None:
    client = start("mood", token="secret")
    assert client.get("/health").status_code == 200
    for refused in (client.post("/predict", json=ASK), client.get("/metrics"), client.get("/run/mood/api"), client.get("/openapi.json")):
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
    assert client.post("/predict", json=ASK, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.post("/predict", json=ASK, headers={"Authorization": "Bearer sécret".encode("latin-1")}).status_code == 401
    assert client.post("/predict", json=ASK, headers={"Authorization": "Bearer secret"}).status_code == 200


def test_a_browser_is_asked_for_the_token_once(start: Start) -> None:
    client = start("mood", token="secret")
    asked = client.get("/run/mood", headers={"Accept": "text/html"})
    assert asked.url.path == "/enter"
    assert client.post("/enter", data={"token": "wrong"}).status_code == 401
    entered = client.post("/enter", data={"token": "secret"})
    assert entered.status_code == 200
    assert entered.url.path == "/run/mood"
    assert "secret" not in str(dict(client.cookies))


def test_other_names_and_other_sites_are_refused(start: Start) -> None:
    client = start("mood", hosts=frozenset({"127.0.0.1", "localhost", "::1"}))
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/health", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/health", headers={"Host": "localhost:8000"}).status_code == 200
    sent = client.post("/predict", json=ASK, headers={"Host": "localhost", "Sec-Fetch-Site": "cross-site"})
    assert sent.status_code == 403


def test_pages_bring_nothing_from_elsewhere(start: Start) -> None:
    client = start("mood")
    page = client.get("/run/mood")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
