"""`heedful serve`: runs behind an API and a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from heedful.cli.allocator import keep_memory
from heedful.cli.options import FLAT, use_threads
from heedful.web.limits import Limits

HERE = ("127.0.0.1", "localhost", "::1")
LIMITS = Limits()
TURN = 2e-4  # seconds that requests may keep the model's thread waiting for the interpreter; 5e-3 unless said


def serve(
    run: Path,
    /,
    *more: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    plan: Path | None = None,
    limits: Annotated[Limits, FLAT] = LIMITS,
    threads: int | None = None,
    precision: Literal["float32", "bf16"] = "float32",
) -> None:
    """Serve runs: a JSON API with OpenAPI, and a page that shows answers and where the model looked.

    Arguments:
        run: a folder that `heedful train` wrote, or one of its checkpoints; NAME=PATH gives it another name than its folder's.
        more: others beside it.
        host: the address to listen at; this machine only unless given.
        port: 0 takes any that is free.
        token: what clients must bring as a bearer token; $HEEDFUL_TOKEN if not given. Hosts other than this machine need one.
        plan: of the (one) run, by `heedful plan` or heedful.plan: the page then compares the model with and without it.
        threads: of the processor; torch's choice if not given.
        precision: of the numbers that a classifier's answers are made of; bf16 is twice as quick on processors that multiply it.
    """
    from heedful.errors import UsageError

    token = token or os.environ.get("HEEDFUL_TOKEN") or None
    if host not in HERE and token is None:
        raise UsageError(f"--host {host} lets others in, and there is no token: --token or $HEEDFUL_TOKEN would work")
    if plan is not None and more:
        raise UsageError("--plan is for one run: serve it alone")
    require_packages()
    from heedful.web.app import LOOPBACK, build
    from heedful.web.hall import Hall
    from heedful.web.runs.table import named, open_run
    from heedful.web.server import address, bound
    from heedful.web.server import run as until_stopped

    use_threads(threads)
    keep_memory()
    sys.setswitchinterval(TURN)
    with bound(host, port) as listening:
        hall = Hall({name: open_run(path, plan, precision) for name, path in named([run, *more]).items()}, limits)
        app = build(hall, token, LOOPBACK if host in HERE else None)
        print(f"serving {', '.join(hall.stations)} at {address(listening)} (API: /openapi.json; Ctrl-C stops)", flush=True)
        until_stopped(app, listening)


def require_packages(purpose: str = "heedful serve") -> None:
    """Say which extra is missing."""
    from importlib.util import find_spec

    from heedful.errors import MissingExtra

    for name in ("fastapi", "uvicorn", "jinja2"):
        if find_spec(name) is None:
            raise MissingExtra(name, "web", purpose)
