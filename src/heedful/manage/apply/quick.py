"""A step of a layer in one call of the compiled library: turned, stored and attended to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

from heedful.attention.attend import attend
from heedful.attention.native import ragged
from heedful.attention.native.fill import KINDS
from heedful.attention.native.ragged import Turning
from heedful.attention.positions.rope import RoPE
from heedful.attention.scores.dot import Dot
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.weightings.softmax import Softmax
from heedful.layers.attention import AttentionLayer
from heedful.manage.apply.cache import RaggedCache

if TYPE_CHECKING:
    from heedful.manage.apply.attention import PlannedAttention

TABLES: dict[tuple[str, int, torch.dtype], Turning] = {}  # one for all layers that turn alike
FIRST = 1024  # places


class Stepper(Protocol):
    """What takes a layer's steps where it can."""

    def why_not(self, q: Float[Tensor, "b h 1 d"], cache: RaggedCache) -> str | None:
        """Why a step cannot be taken; None where it can."""

    def stepped(self, q: Tensor, k: Tensor, v: Tensor, cache: RaggedCache) -> Float[Tensor, "b h 1 v"]:
        """The next token; its key and value are held from now on."""


@final
class Quick:
    """What of a layer's steps does not change from one to the next."""

    def __init__(self, layer: PlannedAttention) -> None:
        self.layer = layer
        self.turning: Turning | None = None
        self.reason = unfit(layer) or unbanded(layer)

    def why_not(self, q: Float[Tensor, "b h 1 d"], cache: RaggedCache) -> str | None:
        """Why a step cannot be taken by the library; None where it can."""
        if self.reason is not None:
            return self.reason
        if cache.length == 0 or (cache.prompt is not None and cache.length < cache.prompt):
            return "the prompt is not read yet"
        if q.device.type != "cpu" or q.dtype not in KINDS:
            return f"it runs on the CPU, not on {q.device.type} with {q.dtype}"
        if (torch.is_grad_enabled() and q.requires_grad) or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
            return "gradients, compilation and autocast follow torch's own operations"
        if not cache.fits(q):
            return "the cache holds another batch or type"
        if self.layer.core is not attend or _get_current_dispatch_mode() is not None:
            return "something watches"
        found = ragged.door()
        return found if isinstance(found, str) else None

    def stepped(self, q: Tensor, k: Tensor, v: Tensor, cache: RaggedCache) -> Float[Tensor, "b h 1 v"]:
        """The next token; its key and value are held from now on."""
        layer = self.layer
        held = cache.readers()
        position, turning = layer.position, None
        if isinstance(position, RoPE):
            turning = self.turned(position, q, cache.length)
        elif position is not None:
            q, k = layer.turned(q, cache.length), layer.turned(k, cache.length)
        scale = layer.scale if layer.scale is not None else layer.score.default_scale(q.shape[-1])
        factor = None if layer.temperature is None else (scale / layer.temperature.detach().double()).contiguous()
        sinks = None if layer.sink_logits is None else layer.sink_logits.detach().double()
        out = ragged.stepped(q, k, v, held, scale, layer.softcap, sinks, factor, turning)
        cache.stepped()
        return out.unsqueeze(2)

    def turned(self, rope: RoPE, q: Tensor, place: int) -> Turning:
        """The angles of all places up to the next token's, and some more."""
        real = torch.promote_types(q.dtype, torch.float32)
        if self.turning is None or self.turning.cosine.dtype != real or place >= len(self.turning.cosine):
            self.turning = angles(rope, q.shape[-1], real, place)
        return self.turning


def unfit(layer: AttentionLayer) -> str | None:
    """What of a layer the library does not know."""
    if not isinstance(layer.score, Dot | ScaledDot) or not isinstance(layer.weighting, Softmax):
        return "it computes a softmax of dot products"
    if layer.position is not None and layer.position.adds_bias:
        return f"the position {layer.position.name} adds a bias"
    return None


def unbanded(layer: PlannedAttention) -> str | None:
    """Whether a rule is one that no range of keys is."""
    return "a rule is no window and sinks" if any(group.band is None for group in layer.arrangement.groups) else None


def angles(rope: RoPE, d: int, real: torch.dtype, place: int) -> Turning:
    """Cosines and sines of at least `place + 1` places."""
    key = (rope.extra_repr(), d, real)
    known = TABLES.get(key)
    if known is None or place >= len(known.cosine):
        count = max(FIRST, 2 * place)
        with torch.inference_mode(False):
            cosine, sine = rope.angles(torch.arange(count), d, real)
        known = TABLES[key] = Turning(cosine.contiguous(), sine.contiguous(), rope.interleaved)
    return known
