"""A linear layer with weights in eight bits, one scale an output (Jacob et al. 2018, arXiv 1712.05877; activations by LLM.int8's
manner, scaled as they come: Dettmers et al. 2022, arXiv 2208.07339)."""

from __future__ import annotations

from typing import Any, Final, final

import torch
from jaxtyping import Float, Int8, Int32
from torch import Tensor, nn
from torch.nn.functional import linear

LARGEST: Final = 127
TINY: Final = 1e-12


@final
class Int8Linear(nn.Module):
    """x -> (int8 weight · scale) x + bias, or, given a stream (..., m), stream + that.

    On a CPU the activations are brought to eight bits too, and oneDNN's integer kernel multiplies; elsewhere, and where a gradient
    flows, the weight is widened first.

    >>> import torch
    >>> exact = nn.Linear(64, 32)
    >>> layer, x = Int8Linear.of(exact), torch.randn(10, 64)
    >>> with torch.no_grad():
    ...     bool((layer(x) - exact(x)).norm() < 0.03 * exact(x).norm())
    True
    >>> layer.weight.dtype, layer.weight.numel() == exact.weight.numel()
    (torch.int8, True)
    """

    weight: Int8[Tensor, "n k"]
    scale: Float[Tensor, " n"]
    zeros: Int32[Tensor, " n"]

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = inputs, outputs
        self.register_buffer("weight", torch.zeros(outputs, inputs, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.register_buffer("zeros", torch.zeros(outputs, dtype=torch.int32), persistent=False)
        self.packed: tuple[tuple[int, int], Any] | None = None

    @classmethod
    def of(cls, exact: nn.Linear) -> Int8Linear:
        """The same layer in eight bits."""
        return cls.made(exact.weight, exact.bias)

    @classmethod
    @torch.no_grad()
    def made(cls, weight: Float[Tensor, "n k"], bias: Float[Tensor, " n"] | None) -> Int8Linear:
        """A layer from a weight and a bias."""
        layer = cls(weight.shape[1], weight.shape[0], bias is not None).to(weight.device)
        scale = (weight.float().abs().amax(1) / LARGEST).clamp_min(torch.finfo(torch.float32).tiny)
        layer.weight.copy_((weight.float() / scale[:, None]).round().clamp(-LARGEST, LARGEST))
        layer.scale.copy_(scale)
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(bias)
        return layer

    @property
    def widened(self) -> Float[Tensor, "n k"]:
        """The weight as numbers."""
        return self.weight.to(self.scale.dtype) * self.scale[:, None]

    def forward(self, x: Float[Tensor, "... k"], stream: Float[Tensor, "... n"] | None = None) -> Float[Tensor, "... n"]:
        """The product, or the stream with it in it."""
        graded = torch.is_grad_enabled() and (x.requires_grad or (self.bias is not None and self.bias.requires_grad))
        if x.device.type != "cpu" or graded:
            y = linear(x, self.widened.to(x.dtype), None if self.bias is None else self.bias.to(x.dtype))
        else:
            y = self.product(x.flatten(0, -2)).view(*x.shape[:-1], -1).to(x.dtype)
        return y if stream is None else stream + y

    def product(self, x: Float[Tensor, "t k"]) -> Float[Tensor, "t n"]:
        """Whole numbers times whole numbers; the activations get one scale for all."""
        low, high = (float(end) for end in x.aminmax())
        step = max(max(high, 0.0) - min(low, 0.0), TINY) / 255
        zero = round(-min(low, 0.0) / step)
        whole = (x.float() * (1 / step) + zero).round_().clamp_(0, 255).to(torch.uint8)
        y: Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, step, zero, self.ready(), self.scale, self.zeros, self.bias, 1.0, 0, torch.float32, "none", [], ""
        )
        return y

    def rows(self, x: Float[Tensor, "... k"], part: slice) -> Float[Tensor, "... r"]:
        """Some of the outputs."""
        bias = None if self.bias is None else self.bias[part].to(x.dtype)
        return linear(x, (self.weight[part].to(self.scale.dtype) * self.scale[part, None]).to(x.dtype), bias)

    def ready(self) -> Any:
        """The weight in the order that the kernel reads it, laid out again when it has changed."""
        state = (self.weight.data_ptr(), self.weight._version)
        if self.packed is None or self.packed[0] != state:
            self.packed = (state, torch.ops.onednn.qlinear_prepack(self.weight, None))
        return self.packed[1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"packed": None}

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
