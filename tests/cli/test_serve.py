"""The server as a command: what it says, what it refuses, and how it stops."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Heedful
from web.conftest import make_classifier

pytestmark = pytest.mark.enable_socket
Process = Callable[..., subprocess.Popen[str]]


def port_of(server: subprocess.Popen[str]) -> int:
    """Where a server that has just begun says it is."""
    assert server.stdout is not None
    said = server.stdout.readline()
    assert said.startswith("serving mood at http://127.0.0.1:"), said
    return int(said.split(" (")[0].rsplit(":", 1)[1])


def asked(port: int, method: str, path: str, body: object = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=200)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json", "Accept": "text/html"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_stop(process: Process, tmp_path: Path, name: signal.Signals) -> None:
    server = process("serve", str(make_classifier(tmp_path / "mood")), "--port", "0", "--threads", "1")
    port = port_of(server)
    status, body = asked(port, "POST", "/predict", {"inputs": ["to be"]})
    assert status == 200
    assert json.loads(body)["answers"][0]["label"] in ("no", "yes")
    assert "<title>mood: Heedful</title>" in asked(port, "GET", "/run/mood")[1]
    server.send_signal(name)
    _, error = server.communicate(timeout=200)
    assert server.returncode == 0
    assert error == ""


def test_a_port_in_use(heedful: Heedful, refused: Callable[..., None], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(heedful("serve", str(make_classifier(tmp_path / "mood")), "--port", str(port)), 1, f"port {port}", "--port 0")


def test_what_it_does_not_serve(heedful: Heedful, refused: Callable[..., None], tmp_path: Path) -> None:
    refused(heedful("serve", "nowhere", "--port", "0"), 1, "nowhere", "no such folder")
    refused(heedful("serve", "nowhere", "--host", "0.0.0.0"), 2, "--token or $HEEDFUL_TOKEN")
    refused(heedful("serve", "nowhere", "--port", "99999"), 2, "0 (any that is free) to 65535")
    refused(heedful("serve", "nowhere", "--batch", "0"), 2, "batch")
    refused(heedful("serve", "a/x", "b/x", "--port", "0"), 2, "two runs are called 'x'")
    refused(heedful("serve"), 2, "RUN")
