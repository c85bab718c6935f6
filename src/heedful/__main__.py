"""The door of the command: words in, exit code out, and one line for whatever went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from heedful.errors import HeedfulError

BAD_USAGE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def main(words: Sequence[str] | None = None) -> int:
    """Run the command `words` (the shell's, by default) and return its exit code: 0, 1 failed, 2 bad usage."""
    from cyclopts import CycloptsError

    from heedful.cli.app import build

    if sys.argv[1:2] != ["bench"]:  # which times what a program of the user's own would meet
        wait_briefly()
    try:
        build()(list(sys.argv[1:] if words is None else words))
        sys.stdout.flush()
        return 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("HEEDFUL_DEBUG") == "1":
            raise
        code = BAD_USAGE if isinstance(error, CycloptsError) else exit_code(error)
        print(f"heedful: {one_line(error)}", file=sys.stderr)
        return code


def wait_briefly() -> None:
    """Let torch's threads spin for some 0.2 ms before they sleep, unless the environment says how they wait; before torch is loaded.

    Spinning without end brings a shared machine to a tenth of its pace, and no spinning at all a quiet one to half.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "4000")


def exit_code(error: BaseException) -> int:
    """The exit code an error of ours carries; 1 for any other, 130 for Ctrl-C."""
    if isinstance(error, HeedfulError):
        return error.exit_code
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def one_line(error: BaseException) -> str:
    """What went wrong as one line, whatever the error's own text looks like."""
    from cyclopts import CycloptsError

    text = " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt):
        return text or "stopped"
    if isinstance(error, HeedfulError | CycloptsError):
        return text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {text} (HEEDFUL_DEBUG=1 shows where)"


if __name__ == "__main__":
    sys.exit(main())
