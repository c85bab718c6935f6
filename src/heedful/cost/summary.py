"""What a model is made of and what it costs: parameters, operations of each layer, and the share spent in attention.

The operations are counted, not declared: the model runs forward once on an example, and every matrix product,
convolution, fused attention and recurrent kernel is counted where it happens (`heedful.cost.counter`).

The core of attention is the scores and the weighted sum. They are the products of activations with activations, which
run as batched products or as a fused attention kernel, while layers apply their weights by plain ones: that is how they
are told apart. A parametric score's own weights, one matrix a head, run batched and belong to the core (as would the
weights of a layer written with einsum).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from heedful.cost.counter import counter

BATCHED = ("bmm", "baddbmm", "attention")  # what the names of the core's kernels contain


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One module: its name in the model, its class, and its own parameters and operations with all that is inside it."""

    name: str
    kind: str
    parameters: int
    operations: int
    core: int

    @property
    def depth(self) -> int:
        """0 for the model itself, 1 for its parts, ..."""
        return self.name.count(".") + 1 if self.name else 0


@dataclass(frozen=True, slots=True)
class ModelCost:
    """The summary of a model for one example; `layers` begins with the model itself.

    `core` are the operations of scores and weighted sums; `attention` those and the projections of attention layers.
    """

    layers: tuple[LayerCost, ...]
    trainable: int
    attention: int

    @property
    def parameters(self) -> int:
        """Numbers in the model, shared ones once."""
        return self.layers[0].parameters

    @property
    def operations(self) -> int:
        """Of one forward pass over the example; a training step takes about three times as many."""
        return self.layers[0].operations

    @property
    def core(self) -> int:
        """Of scores and weighted sums."""
        return self.layers[0].core

    @property
    def share(self) -> float:
        """Of the operations, how much scores and weighted sums took: 0 to 1."""
        return self.core / max(self.operations, 1)

    @property
    def share_with_projections(self) -> float:
        """Of the operations, how much attention layers took with their projections: 0 to 1."""
        return self.attention / max(self.operations, 1)

    def line(self) -> str:
        """The summary in one line."""
        return (
            f"{short(self.parameters)} parameters, {short(self.operations)} operations forward, "
            f"attention {self.share:.1%} of them ({self.share_with_projections:.1%} with projections)"
        )

    def table(self, depth: int = 3) -> str:
        """The layers down to `depth`, one a line: name, class, parameters, operations, share of them in the core.

        What has neither parameters nor operations is left out.
        """
        shown = [layer for layer in self.layers if layer.depth <= depth and (layer.parameters or layer.operations or not layer.name)]
        name = max(len("layer"), *(len(layer.name or layer.kind) + 2 * layer.depth for layer in shown))
        kind = max(len("class"), *(len(layer.kind) for layer in shown))
        rows = [f"{'layer':<{name}}  {'class':<{kind}}  {'parameters':>10}  {'operations':>10}  attention"]
        for layer in shown:
            label = "  " * layer.depth + (layer.name or layer.kind)
            share = f"{layer.core / layer.operations:9.1%}" if layer.core else f"{'-':>9}"
            rows.append(f"{label:<{name}}  {layer.kind:<{kind}}  {short(layer.parameters):>10}  {short(layer.operations):>10}  {share}")
        return "\n".join(rows)


def summarise(
    model: nn.Module,
    inputs: Sequence[Any],
    options: Mapping[str, Any] | None = None,
    *,
    attention: tuple[type[nn.Module], ...] = (nn.MultiheadAttention,),
) -> ModelCost:
    """Run `model(*inputs, **options)` once and say what it cost.

    >>> model = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    >>> cost = summarise(model, [torch.randn(1, 100, 32)])
    >>> cost.operations == 100 * (8 * 32 * 32 + 4 * 32 * 64) + 4 * 100 * 100 * 32
    True
    >>> print(cost.line())
    8.54 k parameters, 2.92 M operations forward, attention 43.9% of them (71.9% with projections)

    Args:
        model: any module; it is left in the mode it was in.
        inputs, options: an example, as the model is called.
        attention: the classes whose projections count as attention's.
    """
    with observed(model), torch.enable_grad(), counter() as counted:
        model(*inputs, **(options or {}))
    counts = counted.get_flop_counts()
    layers = tuple(layer_cost(name, module, counts, type(model).__name__) for name, module in model.named_modules() if called(module))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return ModelCost(layers, trainable, spent(model, layers, attention))


def layer_cost(name: str, module: nn.Module, counts: Mapping[str, Mapping[Any, int]], root: str) -> LayerCost:
    """What one module was counted with."""
    found = counts.get(f"{root}.{name}" if name else root, {})
    core = sum(n for kernel, n in found.items() if any(part in str(kernel) for part in BATCHED))
    return LayerCost(name, type(module).__name__, sum(p.numel() for p in module.parameters()), sum(found.values()), core)


def spent(model: nn.Module, layers: Sequence[LayerCost], attention: tuple[type[nn.Module], ...]) -> int:
    """All operations of attention layers (the outermost, where one holds another), and the core found elsewhere."""
    modules = dict(model.named_modules())
    within = [layer for layer in layers if isinstance(modules[layer.name], attention)]
    outer = [layer for layer in within if not any(layer.name.startswith(other.name + ".") for other in within if other is not layer)]
    return sum(layer.operations for layer in outer) + layers[0].core - sum(layer.core for layer in outer)


def called(module: nn.Module) -> bool:
    """Whether a module computes anything itself: lists only hold others."""
    return not isinstance(module, nn.ModuleList | nn.ModuleDict | nn.ParameterList | nn.ParameterDict)


@contextmanager
def observed(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, its products in the open, and all put back after.

    Every weight takes a gradient: one that does not may be applied by a batched product, or inside torch's fused
    encoder, which hides its products.
    """
    modes = [(module, module.training) for module in model.modules()]
    frozen = [p for p in model.parameters() if not p.requires_grad and p.is_floating_point()]
    model.eval()
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter in frozen:
            parameter.requires_grad_(False)


def short(number: float) -> str:
    """A number to three places with its unit.

    >>> [short(n) for n in (0, 999, 8544, 2_919_200, 2.5e12)]
    ['0', '999', '8.54 k', '2.92 M', '2.5 T']
    """
    for unit in ("", " k", " M", " G"):
        if abs(number) < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g} T"
