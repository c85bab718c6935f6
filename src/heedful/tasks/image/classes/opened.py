"""Which channels and places the gates of a model open for a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.gates.gate import Gate


class Opening(NamedTuple):
    """One gate: its name in the model, its class, how far each channel is open on average, and each place."""

    name: str
    kind: str
    channels: Float[Tensor, " c"] | None
    places: Float[Tensor, "y x"] | None


@contextmanager
def watched(model: nn.Module) -> Iterator[list[Opening]]:
    """While this is open, every gate of feature maps that is called says how far it opens; the first picture counts."""
    found: list[Opening] = []

    def watch(name: str, gate: Gate) -> Any:
        def look(module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
            with torch.no_grad():
                maps = gate.gate(*given)[0].float().cpu()
            channels = maps.mean((1, 2)) if maps.shape[0] > 1 else None
            places = maps.mean(0) if maps.shape[1:].numel() > 1 else None
            found.append(Opening(name, type(gate).__name__, channels, places))

        return gate.register_forward_hook(look)

    hooks = [watch(name, module) for name, module in model.named_modules() if isinstance(module, Gate) and module.layout == "2d"]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def described(opening: Opening, top: int) -> dict[str, Any]:
    """The widest open and the most closed channels, the range over places, and the mean."""
    record: dict[str, Any] = {"gate": opening.name, "kind": opening.kind}
    if opening.channels is not None:
        order = opening.channels.argsort(descending=True).tolist()
        values = opening.channels.tolist()
        record["open"] = [{"channel": i, "gate": round(values[i], 4)} for i in order[:top]]
        record["closed"] = [{"channel": i, "gate": round(values[i], 4)} for i in order[-top:]]
    if opening.places is not None:
        record["places"] = {"least": round(float(opening.places.min()), 4), "most": round(float(opening.places.max()), 4)}
    return record
