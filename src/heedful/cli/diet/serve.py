"""`heedful diet serve`: the reader's page, its JSON API, and the edition as a feed."""

from __future__ import annotations

import os

from heedful.cli.diet.where import Where, opened
from heedful.cli.serve import HERE, require_packages


def serve(*, host: str = "127.0.0.1", port: int = 8000, token: str | None = None, every: float = 30.0, store: Where = None) -> None:
    """Serve the page: the edition by keys or clicks, reading with highlights, search, the label, settings; and a JSON API.

    Arguments:
        host: the address to listen at; this machine only unless given.
        port: 0 takes any that is free.
        token: what clients must bring as a bearer token; $HEEDFUL_TOKEN if not given. Hosts other than this machine need one.
        every: minutes after which sources that are due are asked again; 0 for never.
        store: path or postgresql:// address, made where there is none; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.errors import UsageError

    token = token or os.environ.get("HEEDFUL_TOKEN") or None
    if host not in HERE and token is None:
        raise UsageError(f"--host {host} lets others in, and there is no token: --token or $HEEDFUL_TOKEN would work")
    if not 0 <= every <= 10_080:
        raise UsageError(f"--every is {every:g}: 0 (never) to 10,080 minutes, a week, would work")
    require_packages("heedful diet serve")
    from heedful.web.app import LOOPBACK
    from heedful.web.diet.app import build
    from heedful.web.diet.room import Room
    from heedful.web.server import address, bound, run

    with bound(host, port) as listening, opened(store, new=True) as kept:
        app = build(Room(kept), token, LOOPBACK if host in HERE else None, every)
        print(f"serving {kept.where} at {address(listening)} (feed: /edition.rss; API: /openapi.json; Ctrl-C stops)", flush=True)
        run(app, listening)
