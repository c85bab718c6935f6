import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.layers.cache import WindowCache
from heedful.masks import Causal, Window


def tokens(start: int, end: int) -> torch.Tensor:
    """Keys that hold their own position."""
    return torch.arange(start, end, dtype=torch.float32).reshape(1, 1, -1, 1)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(0, 3), st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_holds_what_its_rule_lets_the_new_tokens_see(size: int, sinks: int, pieces: list[int]) -> None:
    cache, length = WindowCache(size, sinks), 0
    assert cache.forgets is not None
    for piece in pieces:
        new = tokens(length, length + piece)
        k, v = cache.append(new, new)
        length += piece
        assert torch.equal(k.flatten(), cache.positions.float())
        assert torch.equal(k, v)
        seen = cache.forgets.dense(piece, length)[0, 0].any(0).nonzero().flatten()
        assert set(seen.tolist()) <= set(cache.positions.tolist())
        if piece == 1:
            assert set(seen.tolist()) == set(cache.positions.tolist())
        assert cache.length == length


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(0, 3), st.integers(1, 12), st.integers(0, 12), st.integers(1, 3))
def test_crop_is_right_or_refused(size: int, sinks: int, length: int, to: int, piece: int) -> None:
    cache = WindowCache(size, sinks)
    for start in range(length):
        cache.append(tokens(start, start + 1), tokens(start, start + 1))
    try:
        cache.crop(to)
    except UsageError:
        assert to > length or max(to - size + 1, sinks) < length - size
        return
    new = tokens(to, to + piece)
    k, _ = cache.append(new, new)
    places, rule = cache.positions, cache.forgets
    assert rule is not None
    allowed = rule.at(torch.arange(to, to + piece), places, cache.length).dense(piece, len(places))[0, 0]
    for row, position in zip(allowed, range(to, to + piece), strict=True):
        wanted = rule.dense(1, position + 1)[0, 0, 0].nonzero().flatten().tolist()
        assert sorted(k.flatten()[row].tolist()) == wanted


def test_one_step_back_is_always_possible_and_two_are_not() -> None:
    cache = WindowCache(3)
    cache.append(tokens(0, 9), tokens(0, 9))
    cache.crop(8)
    with pytest.raises(UsageError, match=r"tokens before 6 are evicted, and token 7 would see them; crop\(8\) or later"):
        cache.crop(7)
    cache.reset()
    assert cache.length == 0


def test_reorder() -> None:
    cache, k = WindowCache(2, 1), torch.randn(2, 3, 5, 4)
    cache.append(k, k)
    cache.reorder(torch.tensor([1, 1]))
    new = torch.randn(2, 3, 1, 4)
    held, _ = cache.append(new, new)
    assert sorted(cache.positions.tolist()) == [0, 4, 5]
    for place, each in zip(cache.positions.tolist(), held.unbind(2), strict=True):
        assert torch.equal(each, new[:, :, 0] if place == 5 else k[[1, 1], :, place])


def test_steps_take_no_more_memory() -> None:
    cache = WindowCache(3, 1)
    with torch.no_grad():
        where = {cache.append(tokens(i, i + 1), tokens(i, i + 1))[0].data_ptr() for i in range(40)}
    assert len(where) <= 2  # the first token's, then the ring


def test_gradients_flow_through_the_ring() -> None:
    k = torch.randn(1, 1, 5, 2, requires_grad=True)
    cache = WindowCache(2)
    for i in range(5):
        held, _ = cache.append(k[:, :, i : i + 1], k[:, :, i : i + 1])
    held.sum().backward()
    assert k.grad is not None
    assert k.grad.sum(-1).flatten().tolist() == [0, 0, 0, 2, 2]


def test_the_rule_says_what_is_forgotten() -> None:
    assert WindowCache(4).forgets == Window(4)
    assert str(WindowCache(4, 2).forgets) == "Causal() & (Window(size=4) | Sinks(n=2))"
    assert WindowCache(4).forgets != Causal()
    with pytest.raises(UsageError, match="size >= 1"):
        WindowCache(0)
