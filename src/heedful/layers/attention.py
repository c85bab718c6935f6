"""What an attention layer is: projections whose parameters carry the names of torch's nn.MultiheadAttention, around `attend`."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import Any

from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from heedful.attention.attend import attend
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.scores.score import Score
from heedful.attention.select import Select
from heedful.attention.weightings.softmax import Softmax
from heedful.attention.weightings.weighting import Weighting
from heedful.layers.adapters.prefix import Prefix
from heedful.layers.heads import cut
from heedful.layers.int8 import Int8Linear
from heedful.layers.pending import Pending
from heedful.layers.projection import onto
from heedful.layers.widths import Widths

PROJECTIONS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias")
OTHERS = ("bias_k", "bias_v", "sink_logits", "temperature")


class AttentionLayer(nn.Module, ABC):
    """Parameters: `in_proj_weight` (query, key and value rows in one matrix) or, where the three read different widths,
    `q_proj_weight`, `k_proj_weight` and `v_proj_weight`; `in_proj_bias`; `out_proj`; `bias_k` and `bias_v`, one more key
    and value, where a torch layer brought them.

    `score`, `mask`, `position`, `weighting`, `scale`, `softcap`, `dropout` and `backend` may be exchanged at any time;
    so may `core`, which is `attend` or what stands in for it, with the same signature.
    """

    in_proj_weight: nn.Parameter | None
    q_proj_weight: nn.Parameter | None
    k_proj_weight: nn.Parameter | None
    v_proj_weight: nn.Parameter | None
    in_proj_bias: nn.Parameter | None
    bias_k: nn.Parameter | None
    bias_v: nn.Parameter | None
    sink_logits: nn.Parameter | None
    temperature: nn.Parameter | None
    out_proj: nn.Linear

    def __init__(self, widths: Widths, dropout: float = 0.0) -> None:
        super().__init__()
        self.widths, self.dropout = widths, dropout
        self.zero_key = False  # torch's add_zero_attn: one more key and value, both zero
        for name in (*PROJECTIONS, *OTHERS):
            self.register_parameter(name, None)
        self.score: Score = ScaledDot()
        self.weighting: Weighting = Softmax()
        self.mask: Mask | None = None
        self.position: Position | None = None
        self.scale: float | None = None
        self.softcap: float | None = None
        self.backend = "auto"
        self.core: Callable[..., Any] = attend
        self.prefix: Prefix | None = None  # learned keys and values beside those of the text
        self.in_proj: Int8Linear | None = None  # stands for in_proj_weight and in_proj_bias where they are in eight bits

    def matrices(self) -> list[Tensor]:
        """The projections of queries, keys and values, whichever way they are kept."""
        kept = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        return [weight for weight in kept if weight is not None]

    @property
    def joint(self) -> bool:
        """Whether queries, keys and values come from one matrix."""
        return self.in_proj_weight is not None or self.in_proj is not None

    def together(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t w"]:
        """Queries, keys and values of x side by side, from that one matrix."""
        if self.in_proj_weight is not None:
            return linear(x, self.in_proj_weight, self.in_proj_bias)
        assert self.in_proj is not None
        packed: Tensor = self.in_proj(x)
        return packed

    def project(self, x: Tensor, context: Tensor | None = None, values: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (b, h, q, d) of x; keys and values (b, g, k, d) of x, of the context, or of the context and `values`."""
        w = self.widths
        if context is None and self.joint:
            packed = self.together(x)
            packed = packed.view(*packed.shape[:2], -1, w.head_dim)  # a third of a rearrange's time
            return cut(packed, w.heads, w.kv_heads)
        q = heads_of(self.projected(x, 0, 1), w.head_dim)
        return q, *self.project_context(x if context is None else context, values)

    def project_context(self, context: Tensor, values: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Keys and values (b, g, k, d); the values of `values` where they are read elsewhere."""
        if values is None and self.joint:
            k, v = heads_of(self.projected(context, 1, 3), self.widths.head_dim).chunk(2, dim=1)
            return k, v
        k = heads_of(self.projected(context, 1, 2), self.widths.head_dim)
        return k, heads_of(self.projected(context if values is None else values, 2, 3), self.widths.head_dim)

    def projected(self, x: Float[Tensor, "b t n"], first: int, end: int) -> Float[Tensor, "b t w"]:
        """The projections `first` to before `end` of query (0), key (1) and value (2); several only where they are packed."""
        starts = (0, self.widths.query, self.widths.query + self.widths.shared, self.widths.query + 2 * self.widths.shared)
        rows = slice(starts[first], starts[end])
        if self.in_proj is not None:
            return self.in_proj.rows(x, rows)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        if self.in_proj_weight is not None:
            return linear(x, self.in_proj_weight[rows], bias)
        weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[first]
        assert weight is not None
        return linear(x, weight, bias)

    def attended(self, call: Pending, weights: bool | Select) -> tuple[Float[Tensor, "b q m"], Float[Tensor, "b h q k"] | None]:
        """The heads' outputs, joined and projected, and the weights if they are wanted."""
        if self.bias_k is not None or self.zero_key or self.prefix is not None:
            self.add_keys(call)
        options: Options = {
            "score": call.score,
            "mask": call.mask,
            "bias": call.bias,
            "position": call.position,
            "weighting": self.weighting,
            "scale": self.scale,
            "softcap": self.softcap,
            "sink_logits": self.sink_logits,
            "temperature": self.temperature,
            "dropout": self.dropout if self.training else 0.0,
            "backend": self.backend,
        }
        if weights is not False:
            out, seen = self.core(call.q, call.k, call.v, return_weights=weights, **options)
            return self.joined(out, call.stream), seen
        return self.joined(self.core(call.q, call.k, call.v, **options), call.stream), None

    def joined(self, out: Float[Tensor, "b h q d"], stream: Float[Tensor, "b q m"] | None = None) -> Float[Tensor, "b q m"]:
        """The heads side by side, through the output projection, onto the stream if there is one."""
        return onto(stream, self.out_proj, out.transpose(1, 2).flatten(2))  # half of a rearrange's time

    def add_keys(self, call: Pending) -> None:
        """torch's bias_k and bias_v, its zero key, a learned prefix: seen by every query whatever the mask says."""
        b, g, d = call.k.shape[0], self.widths.kv_heads, self.widths.head_dim
        if self.bias_k is not None and self.bias_v is not None:
            call.extend(*(repeat(extra, "1 1 (g d) -> b g 1 d", b=b, g=g) for extra in (self.bias_k, self.bias_v)))
        if self.zero_key:
            zero = call.k.new_zeros(b, g, 1, d)
            call.extend(zero, zero)
        if self.prefix is not None:
            call.extend(*(extra.to(call.k.dtype) for extra in self.prefix.keys_values(b)))


def heads_of(x: Float[Tensor, "b t nd"], d: int) -> Float[Tensor, "b n t d"]:
    """A projection cut into heads d wide."""
    return rearrange(x, "b t (n d) -> b n t d", d=d)
