"""Attention flow: the most that can flow from each place to the answer when weights are the capacities of pipes.

Abnar & Zuidema 2020, arXiv 2005.00928, §2.2. The graph has a node for every place of every layer's stream; its edges are those of the
rollout's Ã. One maximum flow for each unit, by scipy, in whole numbers of 2⁻²⁹.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import MissingExtra
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import one_stream
from heedful.explanations.subject import Look, Subject

FINE: Final = 1 << 29  # a capacity of one; scipy's flows are 32 bits
MOST: Final = 128  # places: a flow for each of them through n² pipes a layer


@final
@dataclass(frozen=True)
class Flow(Method):
    """The maximum flow from each unit to the answer.

    >>> Flow().name
    'flow'
    """

    name: ClassVar[str] = "flow"
    title: ClassVar[str] = "flow of attention through all layers"
    source: ClassVar[str] = "Abnar & Zuidema 2020, arXiv 2005.00928"
    faithful: ClassVar[bool] = False

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        reason = one_stream(subject)
        if reason is not None:
            return reason
        places = len(subject.reading)
        if places > MOST:
            return (
                f"it solves a flow for each unit through {places}² pipes a layer: up to {MOST} places would work, or rollout at any length"
            )
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The flow from the places of each unit."""
        layers = subject.looked().layers
        graph = capacities(layers, subject.reading.double())
        return torch.tensor([flowing(graph, places) for places in subject.places], dtype=torch.float64)

    def passes(self, subject: Subject) -> int:
        """One, and the flows."""
        return 1


@dataclass(frozen=True, slots=True)
class Pipes:
    """Edges from node to node with their capacities; node `places` x layer + i is place i of the stream before that layer."""

    begin: list[int]
    end: list[int]
    capacity: list[int]
    places: int
    answer: int


def capacities(layers: tuple[Look, ...], reading: Float[Tensor, " t"]) -> Pipes:
    """The graph from the input's places to the answer, which is the last node."""
    n = len(reading)
    begin, end, capacity = [], [], []
    for depth, look in enumerate(layers):
        whole = torch.cat([look.rows(*block).detach().double().mean(0).cpu() for block in look.blocks()])
        mixed = 0.5 * whole + 0.5 * torch.eye(n, dtype=torch.float64)
        rows, keys = mixed.nonzero(as_tuple=True)
        begin += (depth * n + keys).tolist()
        end += ((depth + 1) * n + rows).tolist()
        capacity += (mixed[rows, keys] * FINE).round().long().tolist()
    top, answer = len(layers) * n, (len(layers) + 1) * n
    read = reading.nonzero().flatten().tolist()
    return Pipes(
        [*begin, *(top + i for i in read)],
        [*end, *(answer for _ in read)],
        [*capacity, *(round(float(reading[i]) * FINE) for i in read)],
        n,
        answer,
    )


def flowing(graph: Pipes, places: tuple[int, ...]) -> float:
    """The maximum flow from some places of the input, as a share of what the answer takes."""
    try:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import maximum_flow
    except ImportError:
        raise MissingExtra("scipy", "explain", "attention flow") from None
    source = graph.answer + 1
    begin = np.array([*graph.begin, *(source for _ in places)], dtype=np.int32)
    end = np.array([*graph.end, *places], dtype=np.int32)
    capacity = np.array([*graph.capacity, *(FINE * 2 - 1 for _ in places)], dtype=np.int32)
    matrix = csr_array((capacity, (begin, end)), shape=(source + 1, source + 1))
    return float(maximum_flow(matrix, source, graph.answer).flow_value) / FINE
