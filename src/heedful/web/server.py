"""The server on a port: bound first, so that a port in use is said at once, and stopped without cutting answers off."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, final

import uvicorn
from fastapi import FastAPI

from heedful.errors import HeedfulError, UsageError

MOST: Final = 65_535  # ports
BACKLOG: Final = 2_048  # connections that may wait
PATIENCE: Final = 10  # seconds that open answers have to end
STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@final
class Server(uvicorn.Server):
    """uvicorn's, but a signal ends it as it should end: with the answers that were begun, and an exit code of 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM; on the second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals come to the first thread only
            return
        before = {name: signal.signal(name, self.handle_exit) for name in STOPS}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`; port 0 takes any that is free.

    Errors: `UsageError` for no port, `HeedfulError` for an address that cannot be had.
    """
    if not 0 <= port <= MOST:
        raise UsageError(f"--port is {port}: 0 (any that is free) to {MOST} would work")
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)  # who comes before the loop runs waits, and is not refused
    except OSError as error:
        if listening is not None:
            listening.close()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise HeedfulError(f"cannot listen at {host}, port {port} ({reason}): another --port, or --port 0 for any, would work") from None
    return listening


def address(listening: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve until a signal says stop."""
    settings: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    server = Server(uvicorn.Config(app, timeout_graceful_shutdown=PATIENCE, **settings))
    with listening:
        asyncio.run(server.serve(sockets=[listening]))
