import pytest
import torch

from heedful.errors import Unsupported, UsageError
from heedful.layers.cache import ContextCache
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Causal, Padding
from heedful.scores import Biased


@pytest.mark.parametrize("options", [{}, {"kv_heads": 2, "qk_norm": True}, {"score": "additive", "weighting": "sparsemax"}])
def test_steps_over_a_context_equal_one_call(options: dict[str, object]) -> None:
    layer = MultiHeadAttention(8, 4, context_dim=6, **options)  # type: ignore[arg-type]
    x, context, padding = torch.randn(2, 5, 8), torch.randn(2, 7, 6), Padding(torch.tensor([7, 4]))
    cache = ContextCache()
    steps = [layer(x[:, t : t + 1], context if t == 0 else None, mask=padding, cache=cache) for t in range(5)]
    torch.testing.assert_close(torch.cat(steps, dim=1), layer(x, context, mask=padding), atol=1e-6, rtol=1e-6)


def test_the_context_is_projected_once() -> None:
    layer, cache = MultiHeadAttention(8, 2), ContextCache()
    layer(torch.randn(1, 1, 8), torch.randn(1, 3, 8), cache=cache)
    first = cache.held()
    layer(torch.randn(1, 1, 8), torch.randn(1, 3, 8), cache=cache)
    assert cache.held()[0] is first[0]
    assert cache.length == 3


def test_reorder_and_reset() -> None:
    layer, cache = MultiHeadAttention(8, 2), ContextCache()
    x, context = torch.randn(2, 1, 8), torch.randn(2, 3, 8)
    layer(x, context, cache=cache)
    cache.reorder(torch.tensor([1, 1]))
    torch.testing.assert_close(layer(x, cache=cache), layer(x, context[[1, 1]]))
    cache.reset()
    with pytest.raises(UsageError, match="first call needs the context"):
        layer(x, cache=cache)


@pytest.mark.parametrize("options", [{"mask": Causal()}, {"position": "rope"}, {"score": Biased(2, 4, 4)}, {"transposed": True}])
def test_what_needs_the_querys_place_is_refused(options: dict[str, object]) -> None:
    layer = MultiHeadAttention(8, 2, **options)  # type: ignore[arg-type]
    with pytest.raises(Unsupported):
        layer(torch.randn(1, 1, 8), torch.randn(1, 3, 8), cache=ContextCache())
