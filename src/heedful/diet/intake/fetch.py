"""One document of the web, fetched within limits of time, size and redirects; only by http and https.

Source: RFC 9110 (conditional requests §13, Retry-After §10.2.3).
"""

from __future__ import annotations

import ipaddress
import string
import time
import zlib
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from heedful.diet.store.rows import Source
from heedful.errors import DataError
from heedful.version import __version__

AGENT: Final = f"heedful/{__version__} (a feed reader for one person)"
ACCEPT: Final = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5"
CHUNK: Final = 65536


@dataclass(frozen=True)
class Limits:
    """What a document may take.

    Arguments:
        seconds: in all.
        bytes: unpacked.
        redirects: at most.
    """

    seconds: float = 20.0
    bytes: int = 20_000_000
    redirects: int = 5


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Arguments:
        status: of HTTP; 304 for "unchanged".
        address: where the document was in the end.
        moved: its new address for good, or empty.
        wait: seconds that the server asks to be left alone for (Retry-After, or max-age), or None.
    """

    status: int
    document: bytes
    address: str
    content_type: str = ""
    etag: str = ""
    modified: str = ""
    moved: str = ""
    wait: float | None = None


class Redirects(HTTPRedirectHandler):
    """Follows what stays in the web, and remembers whether every step was for good."""

    max_repeats = max_redirections = 100  # ours are counted below

    def __init__(self, limits: Limits) -> None:
        self.limit = limits.redirects
        self.forever: list[bool] = []

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str) -> Request | None:
        """The next request, unless it leaves the web, or comes from there into this machine's own network."""
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise URLError(f"led to {newurl[:80]}, which is not in the web")
        if inside(newurl) and not inside(req.full_url):
            raise URLError(f"led from the web to {newurl[:80]}, which is in your own network")
        if len(self.forever) >= self.limit:
            raise URLError(f"led on more than {self.limit} times")
        self.forever.append(code in (301, 308))
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def inside(address: str) -> bool:
    """Whether an address names this machine or its own network.

    >>> inside("http://127.0.0.1:80/"), inside("http://localhost/"), inside("https://example.org/")
    (True, True, False)
    """
    host = urlsplit(address).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host


def fetch(source: Source, limits: Limits = Limits()) -> Answer:
    """The document of a source, or that it is unchanged.

    Raises `DataError` in one line for what could not be had; an answer that refuses (404, 429, 503) is an answer.
    """
    end = time.monotonic() + limits.seconds
    redirects = Redirects(limits)
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor(), redirects):
        opener.add_handler(handler)
    headers = {"User-Agent": AGENT, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
    headers |= {"If-None-Match": source.etag} if source.etag else {}
    headers |= {"If-Modified-Since": source.modified} if source.modified else {}
    try:
        request = Request(quote(source.address, safe=string.punctuation), headers=headers)
        with opener.open(request, timeout=limits.seconds) as answer:
            ok = answer.status == 200
            document = unpacked(answer, answer.headers.get("Content-Encoding", ""), limits, end) if ok else b""
            moved = answer.url if redirects.forever and all(redirects.forever) else ""
            return said(answer.status, answer.headers, document, answer.url, moved)
    except HTTPError as error:
        with error:
            if 300 <= error.code < 400 and error.code != 304:
                raise DataError(f"{source.address}: led on to what is not in the web ({error.code})") from error
            return said(error.code, error.headers, b"", source.address, "")
    except TimeoutError as error:
        raise DataError(f"{source.address}: no whole answer within {limits.seconds:g} s") from error
    except URLError as error:
        slow = isinstance(error.reason, TimeoutError)
        raise DataError(f"{source.address}: {f'no answer within {limits.seconds:g} s' if slow else error.reason}") from error
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        raise DataError(f"{source.address}: {type(error).__name__}: {str(error)[:120]}") from error


def unpacked(body: HTTPResponse, encoding: str, limits: Limits, end: float) -> bytes:
    """A body without its packing, never more of it than is allowed, whatever it unpacks to."""
    packed = encoding.strip().lower() in ("gzip", "x-gzip", "deflate")
    opened = zlib.decompressobj(wbits=47) if packed else None  # 47: gzip or zlib, by its head
    parts: list[bytes] = []
    size = 0
    while chunk := body.read1(CHUNK):
        part = opened.decompress(chunk, limits.bytes - size + 1) if opened else chunk
        parts.append(part)
        size += len(part)
        if size > limits.bytes:
            raise ValueError(f"more than {limits.bytes:,} bytes")
        if time.monotonic() > end:
            raise TimeoutError
    if body.length or (opened and parts and not opened.eof):
        raise ValueError("the answer broke off")
    return b"".join(parts)


def said(status: int, headers: Message, document: bytes, address: str, moved: str) -> Answer:
    """An answer of a status, its headers and its document."""
    wait = after(headers.get("Retry-After", "")) if status in (429, 503) else age(headers.get("Cache-Control", ""))
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    return Answer(status, document, address, headers.get("Content-Type", ""), etag, modified, moved, wait)


def after(said: str) -> float | None:
    """Seconds of a Retry-After, which is a number of seconds or a date."""
    if said.strip().isdecimal():
        return float(said)
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, IndexError):
        return None


def age(said: str) -> float | None:
    """Seconds of a Cache-Control's max-age.

    >>> age("public, max-age=3600"), age("no-cache")
    (3600.0, None)
    """
    found = [part.split("=")[1].strip() for part in said.split(",") if part.strip().lower().startswith("max-age=")]
    return float(found[0]) if found and found[0].isdecimal() else None
