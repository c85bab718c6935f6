"""Keep freed memory in the process: returned and fetched again, each large tensor of each step faults its pages in anew."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGEST = 1 << 30


def keep_memory() -> bool:
    """Tell glibc to serve blocks up to 1 GiB from memory it already holds; whether this system has such a switch.

    For the whole process, so a command's business and not a library's. The environment variables
    MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ say the same.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(M_TRIM_THRESHOLD, 2 * LARGEST - 1))
