"""Steps through a cache equal the full pass, for every row of the tables that a step can serve; the others are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Shape, create
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.errors import ShapeError, Unsupported
from heedful.layers.cache import Cache, KVCache, WindowCache
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Blocks, Causal, Padding, Prefix, Random, Sinks, Window
from heedful.scores import Biased, ContentBiased, QueryBiased

LENGTH = 11
PIECES = ((0, 4), (4, 5), (5, 6), (6, 9), (9, 10), (10, 11))


def layer_of(**options: Any) -> MultiHeadAttention:
    layer = MultiHeadAttention(16, 4, kv_heads=options.pop("kv_heads", 2), max_length=LENGTH, **options).double()
    for parameter in layer.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return layer


def stepped(
    layer: MultiHeadAttention, x: torch.Tensor, cache: Cache, pieces: tuple[tuple[int, int], ...] = PIECES, **options: Any
) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([layer(x[:, a:b], cache=cache, **options) for a, b in pieces], dim=1)


def check(layer: MultiHeadAttention, cache: Cache, full: MultiHeadAttention | None = None) -> None:
    x = torch.randn(2, LENGTH, 16, dtype=torch.float64)
    torch.testing.assert_close(stepped(layer, x, cache), (full or layer)(x), rtol=0, atol=1e-12)
    cache.reset()
    alone = tuple((t, t + 1) for t in range(LENGTH))
    torch.testing.assert_close(stepped(layer, x, cache, alone), (full or layer)(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [row.name for row in SCORES])
def test_every_score(name: str) -> None:
    check(layer_of(mask="causal", score=name), KVCache())


@pytest.mark.parametrize("name", [row.name for row in POSITIONS])
@pytest.mark.parametrize("cache", ["full", "window"])
def test_every_position(name: str, cache: str) -> None:
    mask = Causal() if cache == "full" else Causal() & (Window(3) | Sinks(2))
    check(layer_of(mask=mask, position=name), KVCache(3) if cache == "full" else WindowCache(3, 2))


@pytest.mark.parametrize("name", [row.name for row in WEIGHTINGS])
def test_every_weighting(name: str) -> None:
    check(layer_of(mask="causal", weighting=name, score="cosine" if name != "normalise" else "dot"), KVCache())


RULES = [row for row in MASKS if row.name not in ("documents", "padding")]  # those hold the lengths of one call


@pytest.mark.parametrize("row", RULES, ids=lambda row: row.name)
def test_every_mask(row: Any) -> None:
    mask = create("mask", MASKS, row.name, Shape(4, 2, 4, LENGTH, LENGTH, batch=2), {}) & Causal()
    layer, x = layer_of(mask=mask), torch.randn(2, LENGTH, 16, dtype=torch.float64)
    if not mask.stable:
        with pytest.raises(Unsupported, match="changes when keys are added"):
            stepped(layer, x, KVCache())
    else:
        check(layer, KVCache())


@pytest.mark.parametrize(
    "options",
    [
        {"qk_norm": True, "sinks": True, "temperature": True, "softcap": 3.0},
        {"transposed": True, "kv_heads": 4, "position": "rope"},
        {"score": QueryBiased(4, heads=4, radius=3)},
        {"score": Biased(4, radius=2), "bias": False},
        {"kv_heads": 1, "position": "alibi", "scale": 2.0},
    ],
    ids=str,
)
def test_options(options: dict[str, Any]) -> None:
    check(layer_of(mask="causal", **options), KVCache())


@pytest.mark.parametrize(("size", "sinks"), [(1, 0), (3, 0), (4, 2), (2, 5), (20, 0)])
@pytest.mark.parametrize("position", [None, "rope", "t5"])
def test_a_window_cache_is_the_mask_it_says(size: int, sinks: int, position: str | None) -> None:
    layer = layer_of(mask="causal", position=position)
    full = layer_of(mask=Causal() & (Window(size) | Sinks(sinks)), position=position)
    full.load_state_dict(layer.state_dict())
    check(layer, WindowCache(size, sinks), full)


def test_a_narrower_mask_inside_a_window_cache() -> None:
    check(layer_of(mask=Window(2) & Blocks(3)), WindowCache(4))


def test_padding_in_steps() -> None:
    layer, x = layer_of(mask="causal", position="rope"), torch.randn(2, LENGTH, 16, dtype=torch.float64)
    left = ~Prefix(torch.tensor([0, 3]))
    torch.testing.assert_close(stepped(layer, x, KVCache(), mask=left), layer(x, mask=left), rtol=0, atol=1e-12)
    full = layer(x, mask=left & (Window(4) | Sinks(1)))
    torch.testing.assert_close(stepped(layer, x, WindowCache(4, 1), mask=left), full, rtol=0, atol=1e-12)
    # the unpadded sequence alone gives the same: rotary scores know distances only
    torch.testing.assert_close(layer(x, mask=left)[1:, 3:], layer(x[1:, 3:]), rtol=0, atol=1e-12)


def test_a_table_of_booleans_is_the_calls_own_business() -> None:
    layer, x = layer_of(mask="causal"), torch.randn(2, LENGTH, 16, dtype=torch.float64)
    real = torch.ones(2, 1, 1, LENGTH, dtype=torch.bool)
    real[1, ..., 2] = False
    cache = KVCache()
    steps = [layer(x[:, t : t + 1], mask=real[..., : t + 1], cache=cache) for t in range(LENGTH)]
    torch.testing.assert_close(torch.cat(steps, dim=1), layer(x, mask=real), rtol=0, atol=1e-12)


def test_gradients_through_steps_equal_those_of_the_full_pass() -> None:
    layer, x = layer_of(mask="causal", position="rope"), torch.randn(1, 4, 16, dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()])
    cache = KVCache()
    out = torch.cat([layer(x[:, t : t + 1], cache=cache) for t in range(4)], dim=1)
    for ours, theirs in zip(torch.autograd.grad(out.square().sum(), [x, *layer.parameters()]), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_beams_and_going_back() -> None:
    layer, x = layer_of(mask="causal", position="rope"), torch.randn(2, 6, 16, dtype=torch.float64)
    cache, index = KVCache(), torch.tensor([1, 1, 0])
    stepped(layer, x, cache, ((0, 5),))
    cache.reorder(index)
    cache.crop(3)
    again = x[index]
    out = stepped(layer, again, cache, ((3, 4), (4, 6)))
    torch.testing.assert_close(out, layer(again)[:, 3:], rtol=0, atol=1e-12)


def test_traces_of_a_step() -> None:
    layer, x, cache = layer_of(mask="causal"), torch.randn(2, 4, 16, dtype=torch.float64), KVCache()
    stepped(layer, x, cache, ((0, 3),))
    _, trace = layer(x[:, 3:], cache=cache, trace=True)
    torch.testing.assert_close(trace.weights, layer(x, trace=True)[1].weights[:, :, 3:], rtol=0, atol=1e-12)


REFUSED: list[tuple[dict[str, Any], Cache, str]] = [
    ({}, KVCache(), "this layer has no mask"),
    ({"mask": Window(3, ahead=1)}, KVCache(), "may look ahead"),
    ({"mask": Sinks(2)}, KVCache(), "may look ahead"),
    ({"mask": Causal() & Random(2, seed=0)}, KVCache(), "changes when keys are added"),
    ({"mask": Causal() & Padding(torch.tensor([3, 2]), side="left")}, KVCache(), r"~Prefix\(padding\)"),
    ({"mask": Causal(), "score": "biased"}, WindowCache(3), "a KVCache would work"),
    ({"mask": Causal(), "score": "query_biased"}, WindowCache(3), "a KVCache would work"),
    ({"mask": Causal(), "score": Biased(4, 6, 8)}, KVCache(), "align='end' would work"),
    ({"mask": Causal(), "score": QueryBiased(4, heads=4, radius=2, residual=True), "position": "rope"}, KVCache(), "residual"),
    ({"memory": 3}, KVCache(), "nothing to cache"),
]


@pytest.mark.parametrize(("options", "cache", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_steps_cannot_serve_is_refused(options: dict[str, Any], cache: Cache, said: str) -> None:
    layer = layer_of(**options)
    with pytest.raises(Unsupported, match=said):
        layer(torch.randn(2, 4, 16, dtype=torch.float64), cache=cache)


def test_a_context_beside_a_cache_of_its_own_keys_is_refused() -> None:
    x = torch.randn(2, 4, 16, dtype=torch.float64)
    with pytest.raises(Unsupported, match=r"ContextCache\(\) would work"):
        layer_of(mask="causal")(x, x, cache=KVCache())


def test_another_batch_and_lengths_beyond_a_table_are_refused() -> None:
    layer, cache = layer_of(mask="causal", score="biased"), KVCache()
    x = torch.randn(2, LENGTH, 16, dtype=torch.float64)
    layer(x, cache=cache)
    with pytest.raises(ShapeError, match="holds batch 2"):
        layer(x[:1, :1], cache=cache)
    with pytest.raises(ShapeError, match=f"holds {LENGTH}"):
        layer(x[:, :1], cache=cache)


def test_tokens_for_a_content_biased_score_in_steps() -> None:
    layer = layer_of(mask="causal", score=ContentBiased(4, 4, vocabulary=9))
    x, ids = torch.randn(2, 5, 16, dtype=torch.float64), torch.randint(9, (2, 5))
    cache = KVCache()
    steps = [layer(x[:, t : t + 1], ids=ids[:, : t + 1], cache=cache) for t in range(5)]
    torch.testing.assert_close(torch.cat(steps, dim=1), layer(x, ids=ids), rtol=0, atol=1e-12)


def test_steps_with_gradients_forget_the_same() -> None:
    layer, x = layer_of(mask=Window(3), position="rope"), torch.randn(2, LENGTH, 16, dtype=torch.float64)
    cache = WindowCache(3)
    steps = torch.cat([layer(x[:, t : t + 1], cache=cache) for t in range(LENGTH)], dim=1)
    torch.testing.assert_close(steps, layer(x), rtol=0, atol=1e-12)
