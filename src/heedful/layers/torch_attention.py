"""Our attention behind the call signature, the attributes and the parameter names of torch's nn.MultiheadAttention."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.backends.region import backend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.select import Select
from heedful.errors import UsageError
from heedful.layers.attention import PROJECTIONS, AttentionLayer
from heedful.layers.pending import Pending
from heedful.layers.torch_masks import added, check_inputs
from heedful.layers.widths import Widths


@final
class TorchAttention(AttentionLayer):
    """Takes the place of an `nn.MultiheadAttention` inside any model: same call, same outputs, same state_dict.

    It shares the very parameters of the layer it replaces, so optimizers and tied weights stay as they are. Three things
    differ: a query that may attend to nothing gets zero weights (torch gives NaN); weights are returned as they were
    before dropout (torch returns them after); and torch's fused inference path, which would go around it, is off.

    >>> import torch
    >>> theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> ours = TorchAttention(theirs)
    >>> x = torch.randn(1, 3, 8)
    >>> torch.allclose(ours(x, x, x)[0], theirs(x, x, x)[0], atol=1e-6), sorted(ours.state_dict()) == sorted(theirs.state_dict())
    (True, True)
    """

    def __init__(self, mha: nn.MultiheadAttention) -> None:
        super().__init__(Widths.of(mha.embed_dim, mha.num_heads, key_dim=mha.kdim, value_dim=mha.vdim), mha.dropout)
        self.embed_dim, self.num_heads, self.head_dim = mha.embed_dim, mha.num_heads, mha.head_dim
        self.kdim, self.vdim, self.batch_first = mha.kdim, mha.vdim, mha.batch_first
        self.add_zero_attn = self.zero_key = mha.add_zero_attn
        self._qkv_same_embed_dim = False  # what torch's encoder reads before it takes its fused path, which would skip this layer
        parameters = dict(mha.named_parameters(recurse=False))
        for name in (*PROJECTIONS, "bias_k", "bias_v"):
            self.register_parameter(name, parameters.get(name))
        self.out_proj = mha.out_proj
        self.train(mha.training)

    def forward(
        self,
        query: Float[Tensor, "..."],
        key: Float[Tensor, "..."],
        value: Float[Tensor, "..."],
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."] | None]:
        """As torch's: (q, m), (q, b, m) or, batch first, (b, q, m); masks are True, or -inf, where attending is not allowed."""
        if query.is_nested:
            return self.unpadded(query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights)
        batched = query.dim() == 3
        check_inputs(self.widths, query, key, value)
        x, context, values = (self.batch_leading(each) for each in (query, key, value))
        same = key is value
        q, k, v = self.project(x) if query is key and same and self.widths.packed else self.project(x, context, None if same else values)
        padding = key_padding_mask if batched or key_padding_mask is None else key_padding_mask[None]
        mask, bias = meant(q, k, attn_mask, padding, hinted=is_causal, exact=need_weights)
        wanted = Select(average=average_attn_weights) if need_weights else False
        call = Pending(q, k, v, self.score, self.both(mask), bias, self.position)
        with backend("naive" if wanted and self.training and self.dropout else "auto"):  # which draws dropout as torch does
            out, weights = self.attended(call, wanted)
        if weights is not None and average_attn_weights:
            weights = weights[:, 0]
        if not batched:
            return out[0], None if weights is None else weights[0]
        return out if self.batch_first else out.transpose(0, 1), weights

    def batch_leading(self, x: Tensor) -> Tensor:
        """(b, t, m), whatever way it came."""
        if x.dim() == 2:
            return x[None]
        return x if self.batch_first else x.transpose(0, 1)

    def both(self, mask: Mask | None) -> Mask | None:
        """The call's mask and the layer's own, where someone gave it one."""
        if self.mask is None or mask is None:
            return self.mask if mask is None else mask
        return self.mask & mask

    def unpadded(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None,
        need_weights: bool,
        attn_mask: Tensor | None,
        average_attn_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Nested tensors, which torch's encoder makes of padded ones: padded, attended to, and nested again."""
        if key_padding_mask is not None or attn_mask is not None:
            raise UsageError("nested tensors carry their own lengths: found a mask too; padded tensors with the mask would work")
        if not self.batch_first:
            raise UsageError("nested tensors have the batch first: found batch_first=False")
        padded = {id(each): each.to_padded_tensor(0.0) for each in (query, key, value)}
        lengths = torch.tensor([len(row) for row in key.unbind()], device=query.device)
        x, context, values = (padded[id(each)] for each in (query, key, value))
        blocked = torch.arange(context.shape[1], device=query.device) >= lengths[:, None]
        out, weights = self(x, context, values, blocked, need_weights, None, average_attn_weights)
        rows = [row[: len(old)] for row, old in zip(out, query.unbind(), strict=True)]
        return torch.nested.as_nested_tensor(rows), weights


def meant(
    q: Tensor, k: Tensor, attn_mask: Tensor | None, padding: Tensor | None, *, hinted: bool, exact: bool
) -> tuple[Mask | None, Tensor | None]:
    """The mask and the bias that torch's arguments stand for; its causal hint is taken where torch takes it."""
    if not hinted:
        return added(attn_mask, padding, q, k)
    if attn_mask is None:
        raise UsageError("is_causal=True is a hint about attn_mask: found attn_mask=None; pass the causal mask too, as torch wants it")
    if padding is None and not exact:
        return upper_left(q.shape[2], k.shape[2], q.device), None
    return added(attn_mask, padding, q, k)


def upper_left(q_len: int, k_len: int, device: torch.device) -> Mask:
    """torch's `is_causal`: query i sees keys 0 ... i, also where there are more keys than queries."""
    if q_len == k_len:
        return Causal()
    table: Bool[Tensor, "q k"] = torch.ones(q_len, k_len, dtype=torch.bool, device=device).tril()
    return Dense(table)
