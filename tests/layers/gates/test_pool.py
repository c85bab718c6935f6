from __future__ import annotations

import torch

from heedful.layers.gates.pool import greatest, mean, running_greatest, running_mean


def test_against_loops():
    x, real = torch.randn(3, 8, 2, dtype=torch.float64), torch.rand(3, 8) < 0.6
    real[0], real[1, :3] = False, False
    x = x.masked_fill(~real[..., None], 0.0)
    means, highs = running_mean(x, real, ())[0], running_greatest(x, real, ())[0]
    for b in range(3):
        for t in range(8):
            read = x[b, : t + 1][real[b, : t + 1]]
            torch.testing.assert_close(means[b, t], read.mean(0) if len(read) else torch.zeros(2, dtype=torch.float64))
            torch.testing.assert_close(highs[b, t], read.max(0).values if len(read) else torch.zeros(2, dtype=torch.float64))
        torch.testing.assert_close(mean(x, real)[b, 0], means[b, -1])
        torch.testing.assert_close(greatest(x, real)[b, 0], highs[b, -1])
