"""The compiled way of `decode`: one call of the library, the keys read where they lie."""

from __future__ import annotations

import torch

from heedful.attention.backends.slab import Slab, placed
from heedful.attention.call import Call, Result
from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.seen import Ranges, seen
from heedful.attention.native import decode
from heedful.attention.native.decode import Few
from heedful.attention.positions.position import Position
from heedful.attention.scores.dot import Dot
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.summary import Summary
from heedful.attention.tiles import lower
from heedful.attention.weightings.softmax import Softmax

KNOWN: dict[tuple[int, int, int], tuple[Mask, Ranges | None]] = {}
MOST = 256  # masks and lengths remembered


def why_not(call: Call) -> str | None:
    """A softmax of products, for its output and log-sum-exp alone, and nothing that follows torch's own operations."""
    if torch.compiler.is_compiling():
        return "a traced graph holds torch's operations"
    if not isinstance(call.weighting, Softmax) or not call.score.is_dot:
        return "it computes a softmax of dot products"
    if call.weights is not None or call.summaries not in ((), ("lse",)):
        return "it gives no weights, and of the summaries the log-sum-exp alone"
    if lower.tracked(call):
        return "it has no gradients"
    if torch.is_autocast_enabled("cpu"):
        return "autocast chooses types for torch's own operations"
    if not (isinstance(call.factor(), float) or lower.one_or_per_head(call.factor(), call.q.shape[1])):
        return "the scale differs from query to query"
    return decode.why_not(call.q) or lower.transformed()


def plain(call: Call) -> bool:
    """Whether the keys as they lie in the cache are what the queries are multiplied with."""
    stays = call.position is None or type(call.position).rotate is Position.rotate
    return stays and isinstance(call.score, Dot | ScaledDot)


def ranges_of(call: Call) -> Ranges | None:
    """The keys of a call that adds nothing to its scores, if every query sees all that any sees; None where more must be known."""
    if call.bias is not None or call.position is not None or not plain(call):
        return None
    _, _, q_len, k_len = call.sizes
    return remembered(call.mask, q_len, k_len)


def over(call: Call, ranges: Ranges) -> Result:
    """Over ranges that every query sees."""
    return found(call, Few(call.q, call.k, call.v, ranges, call.factor(), call.softcap, call.sink_logits))


def over_slab(call: Call, slab: Slab) -> Result | None:
    """Over the keys of a slab, with all that is added to their scores; None where keys that stand apart would first be copied."""
    lie = plain(call) and all(isinstance(place, slice) for place in slab.places)
    if not lie and len(slab.places) > 1:
        return None
    q, keys, added = placed(call, slab, call.q, call.k)
    if lie:
        ranges = tuple((place.start, place.stop) for place in slab.places if isinstance(place, slice))
        return found(call, Few(q, call.k, call.v, ranges, call.factor(), call.softcap, call.sink_logits, added, slab.allowed))
    at = call.score.as_dot(q, keys[0])
    assert at is not None  # and it has no bias: a pairwise score
    ranges = ((0, at.k.shape[2]),)
    return found(call, Few(at.q, at.k, slab.of(call.v)[0], ranges, call.factor(), call.softcap, call.sink_logits, added, slab.allowed))


def found(call: Call, few: Few) -> Result:
    """The output, with the log-sum-exp where it was asked for."""
    if not call.summaries:
        return Result(decode.decoded(few))
    lse = few.q.new_empty(few.q.shape[:3], dtype=torch.float64 if few.q.dtype == torch.float64 else torch.float32)
    return Result(decode.decoded(few, lse), summary=Summary(lse=lse))


def remembered(mask: Mask | None, q_len: int, k_len: int) -> Ranges | None:
    """The ranges that every query sees, if no query sees more; kept, since every layer of a model asks at each step."""
    if mask is None:
        return ((0, k_len),)
    key = (id(mask), q_len, k_len)
    known = KNOWN.get(key)
    if known is not None:  # it holds the mask, so no other has its number
        return known[1]
    lengths = Lengths(q_len, k_len)
    mask.fits(lengths)
    edges = seen(mask, lengths.offset, k_len - 1, lengths)
    ranges = edges.some if edges.some == edges.all else None
    if mask.home is None:  # one that holds tensors is not kept alive for this
        if len(KNOWN) >= MOST:
            KNOWN.clear()
        KNOWN[key] = mask, ranges
    return ranges
