"""ONNX's Attention and RotaryEmbedding said in heedful's words: https://onnx.ai/onnx/operators/onnx__Attention.html"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any, final

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.attend import attend
from heedful.attention.positions.rotary import turn
from heedful.attention.resolve import Options
from heedful.attention.weightings.weighting import Weighting
from heedful.masks import Causal, Dense, Mask, Padding, Rule, Window
from oracles.onnx_cases import Case


@final
class Untouched(Weighting):
    """The scores instead of weights, so that `return_weights` shows them."""

    name = "untouched"
    normalised = False

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        return scores


def attention(case: Case, backend: str) -> dict[str, np.ndarray]:
    """The operator's outputs, those that the case names: Y by `backend`, the matrix of scores or weights by the naive one."""
    given, of = {name: to_torch(array) for name, array in case.inputs.items()}, case.attributes
    q = heads_apart(given["Q"], of.get("q_num_heads"))
    k, v = (joined(given, of, name) for name in ("key", "value"))
    mask, bias = mask_and_bias(given, of, q.shape[2], k.shape[2])
    call: Options = {"scale": of.get("scale"), "softcap": of.get("softcap") or None, "mask": mask, "bias": bias}
    y = attend(q, k, v, backend=backend, **call)
    outputs = {
        "Y": rearrange(y, "b h q v -> b q (h v)") if given["Q"].dim() == 3 else y,
        "present_key": k,
        "present_value": v,
        "qk_matmul_output": matrix(q, k, v, call, of.get("qk_matmul_output_mode", 0)),
    }
    return {name: to_numpy(outputs[name], case.outputs[name]) for name in case.outputs}


def matrix(q: Tensor, k: Tensor, v: Tensor, call: Options, mode: int) -> Tensor:
    """What `qk_matmul_output` shows: 0 the scores, 1 after the softcap, 2 with mask and bias as well, 3 the weights."""
    hidden: Options = {0: {"softcap": None, "mask": None, "bias": None}, 1: {"mask": None, "bias": None}}.get(mode, {})
    shown: Options = {} if mode == 3 else {"weighting": Untouched()}
    return attend(q, k, v, return_weights=True, **{**call, **hidden, **shown, "backend": "naive"})[1]


def joined(given: dict[str, Tensor], of: dict[str, Any], name: str) -> Tensor:
    """The past and the new keys, or values, (b, g, k, d)."""
    new = heads_apart(given[name[0].upper()], of.get("kv_num_heads"))
    return torch.cat([given[f"past_{name}"], new], dim=2) if f"past_{name}" in given else new


def heads_apart(x: Tensor, heads: int | None) -> Tensor:
    """(b, n, t, d) from that or from (b, t, n d)."""
    return rearrange(x, "b t (n d) -> b n t d", n=heads) if x.dim() == 3 and heads else x


def mask_and_bias(given: dict[str, Tensor], of: dict[str, Any], q_len: int, k_len: int) -> tuple[Mask | None, Tensor | None]:
    """Everything that keeps a key out as one mask; a mask of numbers as a bias."""
    masks: list[Mask] = []
    bias = given.get("attn_mask")
    if bias is not None and bias.dtype == torch.bool:
        masks, bias = [Dense(pad(bias, (0, k_len - bias.shape[-1]), value=False))], None
    elif bias is not None:
        bias = pad(bias, (0, k_len - bias.shape[-1]), value=float("-inf"))
    if "nonpad_kv_seqlen" in given:
        masks.append(Padding(given["nonpad_kv_seqlen"]))
    if of.get("is_causal"):
        masks.append(placed(Causal(), given, q_len, k_len))
    left, right = of.get("left_window_size", -1), of.get("right_window_size", -1)
    if max(left, right) >= 0:
        unbounded = q_len + k_len
        window = Window(left + 1 if left >= 0 else unbounded, ahead=right if right >= 0 else unbounded)
        masks.append(placed(window, given, q_len, k_len))
    return reduce(and_, masks) if masks else None, bias


def placed(mask: Mask, given: dict[str, Tensor], q_len: int, k_len: int) -> Mask:
    """The rule with query 0 where ONNX puts it: after the past, or at the end of each sequence's real keys, else at key 0."""
    queries, keys = torch.arange(q_len), torch.arange(k_len)
    if "past_key" in given:
        return mask.at(queries + given["past_key"].shape[2], keys, k_len)
    if "nonpad_kv_seqlen" not in given:
        return mask.at(queries, keys, k_len)
    first = given["nonpad_kv_seqlen"] - q_len
    each = torch.cat([mask.at(queries + start, keys, k_len).dense(q_len, k_len) for start in first])
    return Rule(lambda b, h, q, k: each[b, 0, q - (k_len - q_len), k])


def rotary_embedding(case: Case) -> dict[str, np.ndarray]:
    """The operator's output as our rotation computes it from the same tables of cosines and sines."""
    given = {name: to_torch(array) for name, array in case.inputs.items()}
    x = heads_apart(given["input"], case.attributes.get("num_heads"))
    cos, sin = given["cos_cache"], given["sin_cache"]
    if "position_ids" in given:
        cos, sin = cos[given["position_ids"]], sin[given["position_ids"]]
    out = turn(x, cos[:, None], sin[:, None], interleaved=bool(case.attributes.get("interleaved", 0)))
    if given["input"].dim() == 3:
        out = rearrange(out, "b n t d -> b t (n d)")
    return {"output": to_numpy(out, case.outputs["output"])}


def to_torch(array: np.ndarray) -> Tensor:
    """The same bits; numpy has no bfloat16 of its own."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array.copy())


def to_numpy(x: Tensor, like: np.ndarray) -> np.ndarray:
    """The same bits in the type that is expected."""
    if like.dtype.name == "bfloat16" and x.dtype == torch.bfloat16:
        return x.contiguous().view(torch.int16).numpy().view(like.dtype)
    return x.numpy()
