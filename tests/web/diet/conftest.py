"""A press on loopback, and the reader's server over an empty or a filled store."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from heedful.diet.intake.poll import Manners
from heedful.diet.store.rows import Item, Source
from heedful.diet.store.store import Store, open_store
from heedful.web.app import LOOPBACK
from heedful.web.diet.app import build
from heedful.web.diet.room import Room
from heedful.web.server import Server, address, bound

REAL = Path(os.environ.get("HEEDFUL_DATA", "~/.cache/heedful/data")).expanduser() / "feeds" / "rss-parser-tests.zip"
NAMES = ("guardian.rss", "heise.atom", "reddit.rss", "feedburner.atom", "uolNoticias.rss", "giantbomb-podcast.rss", "craigslist.rss")
CHINESE = "河流很长，它流向大海。图书馆里的人在读书，城里的桥正在修理。"
NOW = 1_700_000_000.0


def generated(subject: str, count: int = 12, language: str = "en") -> bytes:
    """A feed on a subject, today's."""
    when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 3600))
    text = CHINESE * 6 if language == "zh" else f"What is known of the {subject} and who decided it, at some length. " * 20
    items = "".join(
        f"<item><title>{subject} {i}</title><link>https://{language}.example/{subject.replace(' ', '-')}/{i}</link>"
        f"<description>{text[: 200 + 40 * i]}</description><category>{subject}</category><pubDate>{when}</pubDate></item>"
        for i in range(count)
    )
    head = f"<title>The {subject} paper</title><link>https://{language}.example/</link><language>{language}</language>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def papers() -> dict[str, bytes]:
    """Four feeds, one of them Chinese."""
    made = {f"{name}.xml": generated(name) for name in ("rivers", "courts", "opera")}
    return made | {"zh.xml": generated("城里的河流", language="zh")}


def real() -> dict[str, bytes]:
    """Feeds as they were found in the world."""
    with zipfile.ZipFile(REAL) as packed:
        return {name: packed.read(f"input/{name}") for name in NAMES}


@contextmanager
def press(documents: Mapping[str, bytes]) -> Iterator[str]:
    """A server of feeds; where it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = documents.get(self.path.lstrip("/"))
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def reader(store: Store) -> Iterator[str]:
    """The reader's server on a port of this machine; where it is."""
    listening = bound("127.0.0.1", 0)
    app = build(Room(store, manners=Manners(pause=0.0)), hosts=LOOPBACK)
    server = Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


@pytest.fixture
def store() -> Iterator[Store]:
    """Two sources with ten items each, one of them in Chinese."""
    with open_store(":memory:") as kept:
        for name, title, text in (("en", "On rivers", "A long river runs to the sea. " * 30), ("zh", "读书", CHINESE * 8)):
            source = kept.add_source(Source(address=f"https://{name}.example/feed", title=f"Paper {name}"))
            items = [
                Item(
                    source=source.id, address=f"https://{name}.example/{i}", title=f"{title} <{i}>", text=text, summary=text[:200],
                    words=180 if name == "en" else 0, characters=0 if name == "en" else len(text), published=NOW - 3600 * i, taken=NOW - 60,
                    language=name, topic=("nature", "books")[i % 2],
                )
                for i in range(10)
            ]  # fmt: skip
            kept.add_items(items)
        yield kept


Opened = Callable[..., TestClient]


@pytest.fixture
def opened(store: Store) -> Opened:
    """The application in this process."""

    def made(token: str | None = None, hosts: frozenset[str] | None = None) -> TestClient:
        return TestClient(build(Room(store, now=lambda: NOW), token, hosts), raise_server_exceptions=False)

    return made
