"""What stands before every door: who may come in, how much may be brought, and the headers that keep a page to itself."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Final, final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heedful.web.metrics import Metrics

COOKIE: Final = "heedful"
FREE: Final = ("/health", "/enter", "/static/")  # without a token
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; media-src 'self' blob:; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
KEPT: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class TooLarge(Exception):
    """A body that goes on beyond the limit."""


@final
class Guard:
    """Refuses requests without the token (401), from a site that is not ours (403, 421), and bodies over `most` bytes (413); counts all.

    Arguments:
        token: what a client sends as `Authorization: Bearer TOKEN`, and a browser as a cookie; None lets everyone in.
        hosts: names under which the server may be called, so that no other site's name leads here; None for any.
    """

    def __init__(self, app: ASGIApp, token: str | None, most: int, hosts: frozenset[str] | None, metrics: Metrics) -> None:
        self.app, self.token, self.most, self.hosts, self.metrics = app, token, most, hosts, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in KEPT.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refusal = self.refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, counted)
            else:
                await self.bounded(scope, receive, counted)
        finally:
            self.metrics.served(door(scope), status, time.perf_counter() - started)

    def refusal(self, scope: Scope) -> Response | None:
        """Why a request is not let in; None where it is."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").rsplit(":", 1)[0].strip("[]").lower()
        if self.hosts is not None and host not in self.hosts:
            return said(421, f"this server is not called {host!r}: {', '.join(sorted(self.hosts))} would work")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and headers.get("sec-fetch-site", "same-origin") not in (
            "same-origin",
            "none",
        ):
            return said(403, "a page of another site cannot ask this server")
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > self.most:
            return said(413, f"the request has {int(headers['content-length']):,} bytes: {self.most:,} or fewer would work")
        if self.token is None or any(scope["path"].startswith(free) for free in FREE) or self.known(headers):
            return None
        if "text/html" in headers.get("accept", "") and "hx-request" not in headers:
            return RedirectResponse("/enter", 303)
        return said(401, "a token is needed: Authorization: Bearer TOKEN would work", {"WWW-Authenticate": "Bearer"})

    def known(self, headers: Headers) -> bool:
        """Whether a request brings the token."""
        assert self.token is not None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode()):
            return True
        try:
            held = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return held is not None and hmac.compare_digest(held.value.encode(), pass_of(self.token).encode())

    async def bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request, as long as its body stays within the limit also where it does not say how long it is."""
        read, begun, over = 0, False, False

        async def limited() -> Message:
            nonlocal read, over
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:
                over = True
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            if over and not begun:
                return  # what is said of a body that was cut off is beside the point
            begun = True
            await send(message)

        with suppress(TooLarge):
            await self.app(scope, limited, noted)
        if over and not begun:
            await said(413, f"the request has more than {self.most:,} bytes: {self.most:,} or fewer would work")(scope, receive, send)


def said(status: int, why: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """One line, as every refusal is."""
    return JSONResponse({"error": why}, status, headers)


def pass_of(token: str) -> str:
    """What a browser keeps in the token's place."""
    return hashlib.sha256(b"heedful page " + token.encode()).hexdigest()


def door(scope: Scope) -> str:
    """The path as it was declared, so that names and numbers in it are not counted apart."""
    route = scope.get("route")
    return str(route.path) if route is not None else "other"
