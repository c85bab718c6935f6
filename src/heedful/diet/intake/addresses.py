"""One address for one page, however it was linked to (RFC 3986, §6.2, and what trackers add)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from heedful.errors import DataError

PORTS: Final = {"http": 80, "https": 443}
TRACKERS: Final = re.compile(
    r"^(utm_.*|fbclid|gclid|dclid|msclkid|igshid|mc_(cid|eid)|yclid|_hs(enc|mi)|ref_src|ref_url|cmpid|wt_mc|at_(medium|campaign))$", re.I
)


def canonical(address: str) -> str:
    """The address without what does not change the page: letter case of the host, its usual port, fragment, trackers' parameters.

    >>> canonical("HTTPS://News.Example:443/a/../b?utm_source=x&id=7#top")
    'https://news.example/b?id=7'

    Raises `DataError` for what is no address of the web.
    """
    try:
        found = urlsplit(address.strip())
        host, port = found.hostname, found.port
    except ValueError as error:
        raise DataError(f"{address[:80]!r}: no address ({error}): https://example.org/page would work") from None
    if found.scheme.lower() not in PORTS or not host:
        raise DataError(f"{address[:80]!r}: no address of the web: one that begins with http:// or https:// would work")
    return SplitResult(found.scheme.lower(), place(found, host, port), path(found.path), kept(found.query), "").geturl()


def place(found: SplitResult, host: str, port: int | None) -> str:
    """Host and port, the host in the letters of the domain name system."""
    if ":" in host:
        name = f"[{host}]"
    else:
        try:
            name = host.rstrip(".").encode("idna").decode("ascii") if not host.isascii() else host.rstrip(".")
        except UnicodeError:
            raise DataError(f"{host!r}: no name of a host: example.org would work") from None
    return name if port in (None, PORTS[found.scheme.lower()]) else f"{name}:{port}"


def path(given: str) -> str:
    """The path without dots, its letters escaped one way.

    >>> path("/a/./b/../caf\\xe9")
    '/a/caf%C3%A9'
    """
    steps: list[str] = []
    parts = given.split("/")
    for part in parts:
        if part == "..":
            del steps[max(len(steps) - 1, 1) :]
        elif part != ".":
            steps.append(part)
    if parts[-1] in (".", ".."):
        steps.append("")
    return quote("/".join(steps), safe="/%:@!$&'()*+,;=~-._") or "/"


def kept(query: str) -> str:
    """The parameters that may change the page, in their order."""
    pairs = parse_qsl(query, keep_blank_values=True)
    left = [(name, value) for name, value in pairs if not TRACKERS.match(name)]
    return query if len(left) == len(pairs) else urlencode(left)
