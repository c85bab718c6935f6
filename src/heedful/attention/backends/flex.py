"""torch's FlexAttention: one fused kernel for any mask, softcap, bias and position on CUDA, compiled once for each kind of call.

Blocks of the mask that hold nothing are skipped; what is known of them is kept between calls. (He 2024, arXiv 2412.05496.)
On a CPU it is torch's unfused form without gradients, good for checks only. The CUDA path is written from torch's documentation
and is still to be run on such a device.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention.flex_attention import AuxOutput, AuxRequest, BlockMask, create_block_mask, flex_attention

from heedful.attention.call import Call, Result
from heedful.attention.masks.mask import Mask
from heedful.attention.schedule.identity import identity
from heedful.attention.scores.score import AsDot
from heedful.attention.weightings.softmax import Softmax

ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
Form = Callable[..., tuple[Tensor, AuxOutput]]
LEAST_WIDTH = 16
FUSED_TYPES = (torch.float16, torch.bfloat16, torch.float32)


def why_not(call: Call) -> str | None:
    """Dot products and a softmax, nothing dropped, the output alone; on a CPU, no gradients."""
    if call.weights is not None or call.summaries:
        return "FlexAttention returns no weights and no summaries"
    if not call.score.is_dot:
        return f"the score {call.score.name} is not a dot product"
    if not isinstance(call.weighting, Softmax):
        return f"it computes softmax only, not {call.weighting.name}"
    if call.dropout:
        return "it has no dropout"
    if 0 in call.q.shape or 0 in call.k.shape or 0 in call.v.shape:
        return "there is no query or no key"
    return why_not_cuda(call) if call.q.is_cuda else why_not_cpu(call)


def why_not_cuda(call: Call) -> str | None:
    """What torch's Triton kernel does not take."""
    if call.q.dtype not in FUSED_TYPES:
        return f"its kernel has no {str(call.q.dtype).removeprefix('torch.')}"
    if min(call.q.shape[-1], call.v.shape[-1]) < LEAST_WIDTH:
        return f"its kernel takes heads {LEAST_WIDTH} wide or wider"
    return None


def why_not_cpu(call: Call) -> str | None:
    """What torch's unfused form does not do."""
    if torch.compiler.is_compiling():
        return "on a CPU it is a form for checks, not to be compiled into a model"
    given = (call.q, call.k, call.v, call.bias, call.sink_logits, *call.score.parameters())
    learnt = given if call.position is None else (*given, *call.position.parameters())
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in learnt):
        return "FlexAttention has no backward on CPU"
    return None


def run(call: Call) -> Result:
    """The call in FlexAttention's terms; a sink takes its share of the output afterwards, by the log-sum-exp."""
    q, k = call.q, call.k
    if call.position is not None:
        at_q, at_k = call.places()
        q, k = call.position.rotate(q, at_q), call.position.rotate(k, at_k)
    dots = call.score.as_relative_dot(q, k)
    assert dots is not None
    factor = call.factor()
    query, scale = (dots.q * factor.to(dots.q.dtype), 1.0) if isinstance(factor, Tensor) else (dots.q, factor)
    masked = None if call.mask is None else blocks_of(call.mask, call)
    out, aux = (fused if call.q.is_cuda else unfused)()(
        query,
        dots.k,
        call.v,
        score_mod(call, dots),
        masked,
        scale,
        query.shape[1] != dots.k.shape[1],
        return_aux=AuxRequest(lse=call.sink_logits is not None),
    )
    left = out if call.sink_logits is None or aux.lse is None else drained(out, aux.lse, call.sink_logits)
    return Result(call.score.finish(left, call.q))


def drained(out: Float[Tensor, "b h q v"], lse: Float[Tensor, "b h q"], sink_logits: Float[Tensor, " h"]) -> Float[Tensor, "b h q v"]:
    """The output without the weight that the sink took: exp(lse) / (exp(lse) + exp(sink)) of it is left."""
    left = torch.sigmoid(lse - sink_logits.to(lse.dtype)[:, None])
    return (out * left[..., None]).to(out.dtype)


@lru_cache(maxsize=1)
def fused() -> Form:
    """The compiled kernel; torch keeps the code of each kind of score and mask that it meets."""
    compiled: Form = torch.compile(flex_attention)
    return compiled


def unfused() -> Form:
    """torch's own form for checks, which warns that it is not the fast one."""
    warnings.filterwarnings("ignore", message="flex_attention called without torch.compile")
    form: Form = flex_attention
    return form


def score_mod(call: Call, dots: AsDot) -> ScoreMod | None:
    """Softcap over the score's own bias, then the caller's bias, then the position's, each read where it is needed."""
    _, h, q_len, k_len = call.sizes
    place = None if call.position is None else call.position.relative(h, q_len, k_len, call.q.device)
    dense = call.position.bias(h, *call.places()) if call.position is not None and place is None else None
    inner = present(look_up(dots.bias), along(dots.relative, q_len))
    outer = present(look_up(call.bias), look_up(dense), along(place, q_len))
    softcap = call.softcap
    if softcap is None and not inner and not outer:
        return None

    def modified(score: Tensor, b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        for term in inner:
            score = score + term(b, h, q, k)
        score = score if softcap is None else softcap * torch.tanh(score / softcap)
        for term in outer:
            score = score + term(b, h, q, k)
        return score

    return modified


Term = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def look_up(bias: Float[Tensor, "..."] | None) -> Term | None:
    """A bias that broadcasts to (b, h, q, k), one entry at a time."""
    if bias is None:
        return None
    table = bias.reshape((1,) * (4 - bias.ndim) + bias.shape)
    one_b, one_h, one_q, one_k = (size == 1 for size in table.shape)
    return lambda b, h, q, k: table[b * 0 if one_b else b, h * 0 if one_h else h, q * 0 if one_q else q, k * 0 if one_k else k]


def along(relative: Float[Tensor, "#h n"] | None, q_len: int) -> Term | None:
    """A bias by distance, one entry at a time."""
    if relative is None:
        return None
    one_h = relative.shape[0] == 1
    return lambda b, h, q, k: relative[h * 0 if one_h else h, k - q + (q_len - 1)]


def present(*terms: Term | None) -> tuple[Term, ...]:
    """Those that there are."""
    return tuple(term for term in terms if term is not None)


KEPT: OrderedDict[tuple[object, ...], BlockMask] = OrderedDict()  # a block mask holds its mask, so that no key is given to another
MOST = 32


def blocks_of(mask: Mask, call: Call) -> BlockMask:
    """Which blocks of the mask hold something, made once for a mask and lengths as long as its tensors stay as they are."""
    _, _, q_len, k_len = call.sizes
    mask, device = mask.to(call.q.device), call.q.device
    found = identity(mask)
    if found is None:
        return blocks(mask, q_len, k_len, device)
    key = (found.key, q_len, k_len, device)
    kept = KEPT.pop(key, None)
    KEPT[key] = blocks(mask, q_len, k_len, device) if kept is None else kept
    if len(KEPT) > MOST:
        KEPT.popitem(last=False)
    return KEPT[key]


def blocks(mask: Mask, q_len: int, k_len: int, device: torch.device) -> BlockMask:
    """The same, made anew."""
    fused = device.type == "cuda"
    return create_block_mask(mask.mask_mod(q_len, k_len), mask.batch, mask.heads, q_len, k_len, device=str(device), _compile=fused)
