"""What an engine is given and what it gives back: attention reduced to a product, terms added to it, a mask in tiles and a softmax."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.schedule.schedule import Schedule
from heedful.attention.select import Select

# The fields of Found that are given on request, in order.
EXTRAS = ("entropy", "distance", "sinks", "top_weights", "top_keys", "columns", "weights")
TENSORS = ("q", "k", "v", "factor", "bias", "relative", "sink_logits")  # the fields of Work that may need a gradient, in order


@dataclass(slots=True, eq=False)
class Work:
    """softmax(cap(factor q·k) + bias + relative, over the scheduled pairs and the sink), dropped out, times v.

    q, k and v come in any strides, position and score already in them; cap(s) = softcap tanh(s / softcap).
    bias has four axes, each of size 1 or full. relative holds one number for each distance: pair (i, j) gets
    relative[h, j - i + q_len - 1]. seed is a number wherever dropout is above 0. Without a schedule every pair is attended to.
    """

    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    factor: float | Float[Tensor, " h"] = 1.0
    softcap: float | None = None
    bias: Float[Tensor, "#b #h #q #k"] | None = None
    relative: Float[Tensor, "#h q+k-1"] | None = None
    sink_logits: Float[Tensor, " h"] | None = None
    dropout: float = 0.0
    seed: int = 0
    schedule: Schedule | None = None

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """(b, h, q, k)."""
        return self.q.shape[0], self.q.shape[1], self.q.shape[2], self.k.shape[2]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted beside the output and its log-sum-exp: summaries by name ("lse" may stand among them), and weights."""

    summaries: tuple[str, ...] = ()
    weights: Select | None = None

    @property
    def fields(self) -> list[str]:
        """The fields of `Found` that are wanted beside the output and the log-sum-exp, in the order of `EXTRAS`."""
        named = {field for name in self.summaries for field in (("top_weights", "top_keys") if name == "topk" else (name,))}
        return [field for field in EXTRAS if field in named or (field == "weights" and self.weights is not None)]

    @property
    def beyond_lse(self) -> bool:
        """Whether anything is wanted that needs the weights themselves."""
        return self.weights is not None or any(name != "lse" for name in self.summaries)


@dataclass(slots=True, eq=False)
class Found:
    """What an engine's forward gives: `out` in q's type, the rest in the type it computes in (float32, float64 for float64).

    A row that attends to nothing has out 0, lse -inf, and 0 in everything else. What was not wanted is None. `distance`
    has `buckets(max(q_len, k_len))` buckets; a place of `top_keys` without a weight may name any key.
    """

    out: Float[Tensor, "b h q v"]
    lse: Float[Tensor, "b h q"]
    entropy: Float[Tensor, "b h q"] | None = None
    distance: Float[Tensor, "b h buckets"] | None = None
    sinks: Float[Tensor, "b h q"] | None = None
    top_weights: Float[Tensor, "b h q n"] | None = None
    top_keys: Int[Tensor, "b h q n"] | None = None
    columns: Float[Tensor, "b h k"] | None = None
    weights: Float[Tensor, "b hs qs k"] | None = None

    def extras(self, wanted: Wanted) -> list[Tensor]:
        """What was wanted beside the output and the log-sum-exp, in order."""
        every = {
            "entropy": self.entropy,
            "distance": self.distance,
            "sinks": self.sinks,
            "top_weights": self.top_weights,
            "top_keys": self.top_keys,
            "columns": self.columns,
            "weights": self.weights,
        }
        return [x for field in wanted.fields if (x := every[field]) is not None]


@dataclass(slots=True, eq=False)
class Given:
    """What an engine's backward starts from: what forward found, the gradients of it, and the fields of Work whose gradients are needed."""

    out: Float[Tensor, "b h q v"]
    lse: Float[Tensor, "b h q"]
    d_out: Float[Tensor, "b h q v"]
    d_lse: Float[Tensor, "b h q"] | None
    needs: Collection[str] = TENSORS


@dataclass(slots=True, eq=False)
class Gradients:
    """The gradient of each tensor of Work that was needed, in its shape and type; None for the others."""

    q: Tensor | None = None
    k: Tensor | None = None
    v: Tensor | None = None
    factor: Tensor | None = None
    bias: Tensor | None = None
    relative: Tensor | None = None
    sink_logits: Tensor | None = None
