"""A model that reads given vectors in place of its tokens' embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.embed import TokenEmbedding
from heedful.models.ngram_attention import NgramAttention


@contextmanager
def fed(embedding: nn.Module, *features: Float[Tensor, "b t m"]) -> Iterator[None]:
    """Within it the first t places that `embedding` is asked for are `features`; what stands behind them is embedded as ever.

    Of several, as many as one pass asks it for, each call in turn gets its own.

    >>> table = TokenEmbedding(3, 2)
    >>> with fed(table, torch.ones(1, 2, 2)):
    ...     out = table(torch.tensor([[0, 1, 2]]))
    >>> out[0, :2].tolist(), bool((out[0, 2] == table.weight[2]).all())
    ([[1.0, 1.0], [1.0, 1.0]], True)
    """

    turn = cycle(features)

    def instead(module: nn.Module, inputs: tuple[Any, ...], out: Tensor) -> Tensor:
        given = next(turn)
        return torch.cat([given.to(out.dtype), out[:, given.shape[1] :]], dim=1)

    hook = embedding.register_forward_hook(instead)
    try:
        yield
    finally:
        hook.remove()


def embedding_of(model: nn.Module) -> nn.Module | None:
    """The first table of token embeddings in a model; None where it reads tokens in another way.

    Attention over runs of words has values for its tokens; the tables beside it read the single words alone, by other numbers.
    """
    if isinstance(model, NgramAttention):
        return None
    return next((module for module in model.modules() if isinstance(module, TokenEmbedding | nn.Embedding)), None)
