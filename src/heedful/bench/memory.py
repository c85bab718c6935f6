"""Peak memory of one piece of work in a process of its own, which this file is too:

python -m heedful.bench.memory 131072 256 forward auto 2      # prints mebibytes: at the start, with the inputs, at the peak
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from heedful.errors import HeedfulError

STATUS = Path("/proc/self/status")


def peak(n: int, window: int, passes: str, backend: str, threads: int) -> tuple[float, float, float]:
    """Mebibytes resident after importing torch, with the inputs made, and at the highest, of a process that does the work."""
    words = [sys.executable, "-m", "heedful.bench.memory", str(n), str(window), passes, backend, str(threads)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise HeedfulError(f"a process for {n:,} keys ended with {done.returncode}: {last}")
    start, made, highest = map(float, done.stdout.split())
    return start, made, highest


def resident() -> float:
    """The most mebibytes that this process has held; a parent's own peak is not inherited where /proc says it."""
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def main(n: int, window: int, passes: str, backend: str, threads: int) -> None:
    """Do the work once, on inputs that are made in place."""
    import torch

    from heedful.attention.attend import attend
    from heedful.attention.masks.causal import Causal
    from heedful.attention.masks.mask import Mask
    from heedful.attention.masks.window import Window

    torch.set_num_threads(threads)
    start = resident()
    mask: Mask = Causal() & Window(window)
    backward = passes == "backward"
    q, k, v = (torch.randn(1, 8, n, 64).requires_grad_(backward) for _ in range(3))
    made = resident()
    out = attend(q, k, v, mask=mask, backend=backend)
    if backward:
        torch.autograd.grad(out, (q, k, v), torch.ones_like(out))
    print(start, made, resident())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
