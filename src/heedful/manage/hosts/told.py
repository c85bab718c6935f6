"""A mask as transformers carries it about: a tensor by its shape, a rule by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import pad
from torch.utils._pytree import tree_map_only

from heedful.attention.masks.mask import Mask
from heedful.errors import Unsupported

FIELDS: Any = Tensor
# What may be asked of the tensor without its entries being made.
ASKED = {
    *(
        field.__get__
        for field in (FIELDS.shape, FIELDS.dtype, FIELDS.device, FIELDS.ndim, FIELDS.layout, FIELDS.requires_grad, FIELDS.is_cuda)
    ),
    *(FIELDS.dim, FIELDS.size, FIELDS.numel, FIELDS.is_floating_point, FIELDS.__len__, FIELDS.__hash__),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A mask over the first `keys` keys, beyond which nothing is allowed; None allows all of them."""

    mask: Mask | None
    keys: int


@final
class ToldMask(Tensor):
    """Booleans (b, 1, q, k) of which nothing is kept but the rule; any operation on them makes the plain tensor first.

    >>> from heedful.masks import Causal
    >>> told = ToldMask.of(Rule(Causal(), 3), (1, 1, 2, 4))
    >>> told.shape, told.rule.mask
    (torch.Size([1, 1, 2, 4]), Causal())
    >>> told[0, 0].int()
    tensor([[1, 1, 0, 0],
            [1, 1, 1, 0]], dtype=torch.int32)
    """

    rule: Rule

    @staticmethod
    def of(rule: Rule, shape: tuple[int, int, int, int], device: torch.device | None = None) -> ToldMask:
        """A rule in the shape of the table it stands for."""
        told = torch.zeros((), dtype=torch.bool, device=device).expand(shape).as_subclass(ToldMask)
        told.rule = rule
        return told

    def table(self) -> Bool[Tensor, "b 1 q k"]:
        """The plain tensor."""
        b, h, q, k = self.shape
        keys = self.rule.keys
        held = torch.ones(1, 1, 1, keys, dtype=torch.bool) if self.rule.mask is None else self.rule.mask.dense(q, keys)
        return pad(held.to(self.device).expand(b, h, q, keys), (0, k - keys))

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Questions about its shape are answered, all else is done to the plain tensor."""
        if func in ASKED:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))
        name = func.__name__
        if name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
            raise Unsupported(f"a model that changes its mask in place ({name}) cannot have its attention managed")
        plain = tree_map_only(ToldMask, ToldMask.table, (args, dict(kwargs or {})))
        return func(*plain[0], **plain[1])
