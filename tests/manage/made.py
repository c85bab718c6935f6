"""Small models and calls that the manager's tests share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from heedful.manage.seen import Seen
from heedful.manage.site import Site
from heedful.masks import Causal, Mask
from heedful.models.build import build
from heedful.spec import DecoderSpec


def seen_of(length: int = 40, *, mask: Mask | None = None, heads: int = 4, kv_heads: int = 2, causal: bool = True, batch: int = 2) -> Seen:
    site = Site(0, "layer", heads, kv_heads, 8, 6, causal)
    shapes = ((heads, 8), (kv_heads, 8), (kv_heads, 6))
    q, k, v = (torch.randn(batch, n, length, d, dtype=torch.float64) for n, d in shapes)
    return Seen(site, q, k, v, {"mask": mask if mask is not None else Causal() if causal else None})


def decoder(*, layers: int = 2, heads: int = 4, kv_heads: int = 2, dtype: torch.dtype = torch.float64, **more: object) -> nn.Module:
    torch.manual_seed(0)
    spec = DecoderSpec(vocabulary=13, context=64, layers=layers, width=16, heads=heads, kv_heads=kv_heads, **more)  # type: ignore[arg-type]
    model = build(spec).to(dtype).eval()
    with torch.no_grad():
        for each in model.parameters():
            each.add_(0.3 * torch.randn_like(each))
    return model


def dense(seen: Seen, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Attention as written, with grouped keys copied out; allowed broadcasts to (b, h, q, k)."""
    r = seen.q.shape[1] // seen.k.shape[1]
    k, v = seen.k.repeat_interleave(r, 1), seen.v.repeat_interleave(r, 1)
    scores = (seen.q @ k.mT / seen.q.shape[-1] ** 0.5).masked_fill(~allowed, -torch.inf)
    weights = scores.softmax(-1).nan_to_num()
    return weights @ v, weights


def allowed_by_hand(word: str, numbers: tuple[int, ...], q: int, k: int) -> bool:
    """Where an option lets a query look, spelt out."""
    if word == "window":
        return q - numbers[0] < k <= q or k < numbers[1]
    if word == "blocks":
        return q // numbers[0] == k // numbers[0] or k < numbers[1]
    return word != "drop"
