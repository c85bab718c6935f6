"""A store in every database there is: a file, and a server of PostgreSQL that is started for the tests where its programs are."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from heedful.diet.store.store import Store, open_store

NUMBERS = count()


def program(name: str) -> str | None:
    """A program of PostgreSQL's, where Debian puts it or on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """The folder of the socket of a server with nothing in it."""
    initdb, control = program("initdb"), program("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    folder = Path(tempfile.mkdtemp(prefix="heedful-postgres-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and setpriv is not installed")
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data, options = str(folder / "data"), f"-k {folder} -c listen_addresses='' -c fsync=off"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([*as_user, initdb, "-D", data, "-U", "heedful", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet)  # type: ignore[call-overload]
    subprocess.run([*as_user, control, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"], **quiet)  # type: ignore[call-overload]
    try:
        yield folder
    finally:
        subprocess.run([*as_user, control, "-D", data, "-m", "immediate", "-w", "stop"], **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder)


@pytest.fixture
def database(server: Path) -> str:
    """The address of an empty database."""
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("sqlalchemy")
    name = f"diet{next(NUMBERS)}"
    with psycopg.connect(host=str(server), user="heedful", dbname="postgres", autocommit=True) as base:
        base.execute(f"CREATE DATABASE {name}")
    return f"postgresql://heedful@/{name}?host={server}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    where = tmp_path / "diet.sqlite" if request.param == "sqlite" else request.getfixturevalue("database")
    with open_store(where) as opened:
        yield opened
