"""Compiling the engine: once for each processor, compiler and version of the sources, into the cache folder.

It is compiled where it runs, for the very processor, and takes a few seconds. Where that fails, the reason is kept and
other engines do the work. `HEEDFUL_NATIVE=0` leaves it out.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from heedful.cost.device import CPUINFO, processor
from heedful.cost.table import folder

SOURCES = Path(__file__).parent
FLAGS = ("-O3", "-march=native", "-std=c++17", "-fopenmp", "-shared", "-fPIC")
COMPILERS = ("g++", "clang++", "c++")
PATIENCE = 300  # seconds


def compiler() -> str | None:
    """The C++ compiler: the one that CXX names, else the first there is."""
    named = os.environ.get("CXX")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, COMPILERS)), None)


def place(using: str, source: Path = SOURCES / "flash.cpp") -> Path:
    """Where the library for this processor, compiler and version of the sources belongs."""
    said = subprocess.run([using, "--version"], capture_output=True, check=False).stdout
    abilities = next((line for line in CPUINFO.read_text().splitlines() if line.startswith("flags")), "") if CPUINFO.exists() else ""
    parts = [said, processor().encode(), abilities.encode(), " ".join(FLAGS).encode(), source.read_bytes()]
    parts += [path.read_bytes() for path in sorted(SOURCES.iterdir()) if path.suffix == ".h"]
    return folder() / f"native-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}.so"


def compile_to(using: str, path: Path, source: Path = SOURCES / "flash.cpp") -> str | None:
    """Compile; the library takes its place whole or not at all. Gives the reason where it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".native-") as work:
        built = Path(work, path.name)
        command = [using, *FLAGS, str(source), "-o", str(built)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return f"{Path(using).name} took more than {PATIENCE} s over it"
        if run.returncode:
            first = next((line for line in run.stderr.splitlines() if "error" in line), "no word of why")
            return f"{Path(using).name} could not compile it: {first}"
        os.replace(built, path)
    return None


@cache
def opened() -> ctypes.CDLL | str:
    """The engine's library, compiled if need be; or the reason why there is none."""
    return library(SOURCES / "flash.cpp")


@cache
def library(source: Path) -> ctypes.CDLL | str:
    """The library of a source that reads no headers but the engine's, compiled if need be; or the reason why there is none."""
    if os.environ.get("HEEDFUL_NATIVE") == "0":
        return "HEEDFUL_NATIVE=0 leaves it out"
    using = compiler()
    if using is None:
        return "there is no C++ compiler on this machine"
    try:
        path = place(using, source)
        reason = None if path.exists() else compile_to(using, path, source)
        return reason if reason is not None else ctypes.CDLL(str(path))
    except OSError as error:
        return f"its library could not be written or opened: {error}"
