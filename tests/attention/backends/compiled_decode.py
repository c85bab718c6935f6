"""`python -m attention.backends.compiled_decode` (from tests/): steps compile into one graph, for every length of the cache."""

from __future__ import annotations

import torch

from heedful.attention.attend import attend
from heedful.masks import Causal, Dilated, Documents, Mask, Sinks, Window

MASKS: tuple[Mask | None, ...] = (
    None,
    Causal(),
    Causal() & (Sinks(4) | Window(50)),
    Causal() & Dilated(4, 8),
    Documents(torch.arange(600)[None] // 70),
)


def main() -> None:
    """Compile a step under each mask, and compare."""
    torch.manual_seed(0)
    for mask in MASKS:
        torch._dynamo.reset()
        step = torch.compile(lambda q, k, v, mask=mask: attend(q, k, v, mask=mask, backend="decode"), backend="eager", fullgraph=True)
        for n in (600,) if isinstance(mask, Documents) else (600, 599, 40, 3):
            for q_len in (1, 2):
                q, k, v = (torch.randn(1, h, t, 8) for h, t in ((4, q_len), (2, n), (2, n)))
                torch.testing.assert_close(step(q, k, v), attend(q, k, v, mask=mask, backend="naive"))


if __name__ == "__main__":
    main()
