"""Polling, against servers on this machine only: unchanged documents, packing, moves, refusals, and manners."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from heedful.diet.intake.fetch import Limits, fetch
from heedful.diet.intake.poll import Manners, Polled, due, poll
from heedful.diet.intake.recognise import recognised
from heedful.diet.intake.whole import whole
from heedful.diet.store.rows import Source
from heedful.diet.store.store import Store, open_store
from heedful.errors import DataError

pytestmark = pytest.mark.enable_socket
NOW = 1_795_248_000.0
HOUR = 3600.0
FEED = b"""<rss version="2.0"><channel><title>The feed</title><item><title>One</title><link>/1</link>
<description>Some text</description></item><item><title>Two</title><link>/2</link></item></channel></rss>"""
QUICK = Manners(pause=0.0, limits=Limits(seconds=60.0, bytes=100_000))
HURRIED = replace(QUICK, limits=Limits(seconds=1.0, bytes=100_000))


class Handler(BaseHTTPRequestHandler):
    """Every path is a way in which servers answer."""

    asked: list[tuple[str, dict[str, str], float]] = []  # noqa: RUF012 - reset by the fixture
    busy = 0
    most = 0
    changed = threading.Condition()

    def do_GET(self) -> None:
        type(self).asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, time.monotonic()))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.answer()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Busy until just before the answer leaves: a client that has it may ask again at once."""
        kind = type(self)
        with kind.changed:
            kind.busy += 1
            kind.most = max(kind.most, kind.busy)
            kind.changed.notify_all()
        yield
        with kind.changed:
            kind.busy -= 1

    def answer(self) -> None:
        name = self.path.strip("/").split("/")[0].split("?")[0]
        packed = {"gzip": gzip.compress(FEED), "deflate": zlib.compress(FEED), "bomb": gzip.compress(b" " * 3_000_000)}
        moves = {"moved": (301, "/plain"), "loop": (302, "/loop"), "away": (302, "file:///etc/passwd"), "for-now": (302, "/plain")}
        if name == "etag" and self.headers.get("If-None-Match") == '"v1"':
            self.say(304, b"", {"Cache-Control": "max-age=7200"})
        elif name == "etag":
            self.say(200, FEED, {"ETag": '"v1"', "Last-Modified": "Sat, 21 Nov 2026 08:00:00 GMT"})
        elif name in packed:
            self.say(200, packed[name], {"Content-Encoding": "deflate" if name == "deflate" else "gzip"})
        elif name in moves:
            self.say(moves[name][0], b"", {"Location": moves[name][1]})
        elif name == "wait":
            self.say(429, b"", {"Retry-After": "7200"})
        elif name in ("404", "410", "500"):
            self.say(int(name), b"no", {})
        elif name == "page":
            self.say(200, b'<html><head><link rel="alternate" type="application/rss+xml" href="/plain"></head></html>', {})
        elif name == "1":
            self.say(200, ("<html><body><nav>Menu</nav><article>" + "<p>A paragraph about zeppelins that goes on.</p>" * 9).encode(), {})
        elif name == "slow":
            with self.counted():
                time.sleep(0.15)
            self.say(200, FEED, {})
        elif name == "meet":
            with self.counted(), type(self).changed:
                type(self).changed.wait_for(lambda: type(self).most >= 3, timeout=60)
            self.say(200, FEED, {})
        elif name == "drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b" ")
                time.sleep(0.1)
        elif name == "short":
            self.say(200, FEED, {"Content-Length": str(len(FEED) + 10)})
        elif name == "large":
            self.say(200, b" " * 200_000, {})
        else:
            self.say(200, FEED, {})

    def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def base() -> Iterator[str]:
    Handler.asked, Handler.busy, Handler.most = [], 0, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "diet.sqlite") as opened:
        yield opened


def polled(store: Store, address: str, now: float = NOW, manners: Manners = QUICK) -> Polled:
    source = store.add_source(Source(address=address))
    (found,) = poll(store, now, [source], manners)
    assert found.source == store.source(source.id)
    return found


@pytest.mark.parametrize("name", ["plain", "gzip", "deflate", "for-now"])
def test_a_feed_is_taken_in_however_it_is_packed(store: Store, base: str, name: str) -> None:
    found = polled(store, f"{base}/{name}")
    assert (found.new, found.error, found.source.title, found.source.address) == (2, "", "The feed", f"{base}/{name}")
    assert {item.address for item in store.items()} == {f"{base}/1", f"{base}/2"}
    assert Handler.asked[0][1]["user-agent"].startswith("heedful/")


def test_what_is_unchanged_is_not_sent_again(store: Store, base: str) -> None:
    first = polled(store, f"{base}/etag")
    assert (first.source.etag, first.source.modified) == ('"v1"', "Sat, 21 Nov 2026 08:00:00 GMT")
    assert (first.new, first.source.due) == (2, NOW + HOUR)
    second = polled(store, f"{base}/etag", NOW + HOUR)
    assert (second.unchanged, second.new, second.source.etag) == (True, 0, '"v1"')
    assert second.source.due == NOW + HOUR + 2 * HOUR  # as its max-age asks for
    assert Handler.asked[1][1]["if-modified-since"] == "Sat, 21 Nov 2026 08:00:00 GMT"


def test_a_feed_that_moved_for_good_is_asked_there_from_then_on(store: Store, base: str) -> None:
    assert polled(store, f"{base}/moved").source.address == f"{base}/plain"
    other = polled(store, f"{base}/moved")  # now a source of its own, that moves to where another is
    assert (other.source.address, other.error, other.new) == (f"{base}/moved", "", 0)


@pytest.mark.parametrize(
    ("name", "said", "later"),
    [
        ("404", "answered 404", HOUR),
        ("500", "answered 500", HOUR),
        ("wait", "answered 429; it asks to be left alone for a while", 2 * HOUR),
        ("410", "gone for good (410); it is paused", HOUR),
        ("loop", "led on more than 5 times", HOUR),
        ("away", "not in the web", HOUR),
        ("bomb", "more than 100,000 bytes", HOUR),
        ("large", "more than 100,000 bytes", HOUR),
        ("drip", "no whole answer within 1 s", HOUR),
        ("page", "a page of HTML, no feed", HOUR),
    ],
)
def test_what_fails_is_told_and_asked_later(store: Store, base: str, name: str, said: str, later: float) -> None:
    found = polled(store, f"{base}/{name}", manners=HURRIED if name == "drip" else QUICK)
    assert said in found.error
    assert "\n" not in found.error
    assert (found.source.failures, found.source.due, found.source.paused) == (1, NOW + later, name == "410")
    assert store.items() == []
    if name == "page":
        assert f"the page names {base}/plain" in found.error


def test_failures_in_a_row_are_asked_ever_later_and_one_success_ends_it(store: Store, base: str) -> None:
    source = store.add_source(Source(address=f"{base}/404"))
    waits = []
    for _ in range(9):
        (found,) = poll(store, NOW, [store.source(source.id)], QUICK)
        waits.append((found.source.due - NOW) / HOUR)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 72, 72]
    (found,) = poll(store, NOW, [store.change_source(replace(store.source(source.id), address=f"{base}/plain"))], QUICK)
    assert (found.source.failures, found.error, found.source.due) == (0, "", NOW + HOUR)


def test_nobody_is_there(store: Store) -> None:
    assert "refused" in polled(store, "http://127.0.0.1:9/feed").error


def test_only_what_is_due_is_asked(store: Store, base: str) -> None:
    late, soon, paused = (
        store.add_source(Source(address=f"{base}/{name}", due=NOW + after)) for name, after in (("a", -5), ("b", 5), ("c", -9))
    )
    store.change_source(replace(paused, paused=True))
    assert due(store, NOW) == [late]
    assert [found.source.id for found in poll(store, NOW, manners=QUICK)] == [late.id]
    assert soon.due == store.source(soon.id).due
    assert list(poll(store, NOW, manners=QUICK)) == []


def test_one_document_of_a_host_at_a_time_with_a_pause(store: Store, base: str) -> None:
    for number in range(4):
        store.add_source(Source(address=f"{base}/slow/{number}"))
    assert sum(found.new for found in poll(store, NOW, manners=replace(QUICK, pause=0.05))) == 2 * 4 - 2 * 3  # the same pages
    assert Handler.most == 1
    times = [at for _, _, at in Handler.asked]
    assert min(b - a for a, b in pairwise(times)) >= 0.05 + 0.15


def test_hosts_are_asked_side_by_side(store: Store, base: str) -> None:
    port = base.rsplit(":", 1)[1]
    for number in range(1, 5):
        store.add_source(Source(address=f"http://127.0.0.{number}:{port}/meet"))
    listening = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for source in store.sources():
        store.change_source(replace(source, address=source.address.replace(f":{port}", f":{listening.server_address[1]}")))
    assert len(list(poll(store, NOW, manners=replace(QUICK, hosts=3)))) == 4
    listening.shutdown()
    thread.join()
    listening.server_close()
    assert Handler.most == 3


def test_breaking_off_keeps_what_was_yielded(store: Store, base: str) -> None:
    for number in range(5):
        store.add_source(Source(address=f"{base}/slow/{number}"))
    polling = poll(store, NOW, manners=QUICK)
    first = next(polling)
    polling.close()
    assert len(due(store, NOW)) == 4
    assert store.source(first.source.id).due > NOW
    assert len(list(poll(store, NOW, manners=QUICK))) == 4
    assert store.kept("story").keys() == {1, 2}


def test_files_are_polled_too(store: Store, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text("# A\n\nText.")
    (tmp_path / "one.eml").write_text("Subject: Hello\nFrom: a@a.example\n\nBody\n")
    store.add_source(Source(address=str(tmp_path / "texts"), kind="folder"))
    store.add_source(Source(address=str(tmp_path / "one.eml"), kind="newsletter"))
    store.add_source(Source(address=str(tmp_path / "missing"), kind="folder"))
    found = list(poll(store, NOW, manners=QUICK))
    assert [one.new for one in found] == [1, 1, 0]
    assert "not found" in found[2].error
    assert {item.title for item in store.items()} == {"A", "Hello"}


def test_what_is_at_an_address_is_recognised(base: str) -> None:
    assert recognised(f"{base}/plain")[0] == Source(address=f"{base}/plain", title="The feed")
    assert recognised(f"{base}/page")[0] == Source(address=f"{base}/plain")
    with pytest.raises(DataError, match="answered 404"):
        recognised(f"{base}/404")


def test_half_an_answer_is_none(base: str) -> None:
    with pytest.raises(DataError, match="the answer broke off"):
        fetch(Source(address=f"{base}/short"), QUICK.limits)


@pytest.mark.filterwarnings("default")  # of lxml and dateparser, inside trafilatura
def test_the_whole_text_is_read_from_the_page_and_kept(store: Store, base: str) -> None:
    pytest.importorskip("trafilatura")
    polled(store, f"{base}/plain")
    assert store.search("zeppelins") == []
    item = whole(store, 1, QUICK.limits)
    assert "zeppelins that goes on" in item.text
    assert item.words > 30
    assert [hit.item.id for hit in store.search("zeppelins")] == [1]
    assert polled(store, f"{base}/plain", NOW + HOUR).changed == 0
    assert store.item(1) == item
    (found,) = poll(store, NOW, [store.add_source(Source(address=f"{base}/1", kind="page"))], QUICK)
    assert found.error == ""
    with pytest.raises(DataError, match="no text to read"):
        whole(store, 2, QUICK.limits)
