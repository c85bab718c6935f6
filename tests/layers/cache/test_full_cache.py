import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.layers.cache import KVCache


def keys(t: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, t, 4)


def test_gives_back_all_that_came() -> None:
    cache, k, v = KVCache(capacity=2), keys(9), keys(9)
    for start, end in ((0, 1), (1, 5), (5, 6), (6, 9)):
        held_k, held_v = cache.append(k[:, :, start:end], v[:, :, start:end])
        assert torch.equal(held_k, k[:, :, :end])
        assert torch.equal(held_v, v[:, :, :end])
        assert cache.positions.tolist() == list(range(end))
    assert cache.length == 9


def test_the_buffer_doubles_and_is_not_copied_each_step() -> None:
    cache, where = KVCache(capacity=4), set()
    with torch.no_grad():
        for _ in range(64):
            where.add(cache.append(keys(1), keys(1))[0].data_ptr())
    assert len(where) <= 5  # 4, 8, 16, 32, 64


def test_reorder_repeats_and_drops_rows() -> None:
    cache, k = KVCache(), keys(3)
    cache.append(k, k)
    cache.reorder(torch.tensor([1, 1, 0]))
    more = keys(1, batch=3)
    held, _ = cache.append(more, more)
    assert torch.equal(held, torch.cat([k[[1, 1, 0]], more], dim=2))


def test_crop_goes_back() -> None:
    cache, k = KVCache(), keys(5)
    cache.append(k, k)
    cache.crop(2)
    new = keys(1)
    held, _ = cache.append(new, new)
    assert torch.equal(held, torch.cat([k[:, :, :2], new], dim=2))
    assert cache.positions.tolist() == [0, 1, 2]
    for length in (4, -1):
        with pytest.raises(UsageError, match="0 to 3 would work"):
            cache.crop(length)


def test_reset_takes_another_batch() -> None:
    cache = KVCache()
    cache.append(keys(2), keys(2))
    with pytest.raises(ShapeError, match=r"holds batch 2, 3 heads, 4 wide, torch.float32: found batch 5"):
        cache.append(keys(1, batch=5), keys(1, batch=5))
    cache.reset()
    assert cache.append(keys(1, batch=5), keys(1, batch=5))[0].shape == (5, 3, 1, 4)


def test_gradients_flow_through_it() -> None:
    cache, k = KVCache(), keys(3).requires_grad_()
    cache.append(k[:, :, :2], k[:, :, :2])
    held, _ = cache.append(k[:, :, 2:], k[:, :, 2:])
    held.square().sum().backward()
    torch.testing.assert_close(k.grad, 2 * k)


def test_inference_mode_may_end_between_steps() -> None:
    cache, k = KVCache(), keys(3)
    with torch.inference_mode():
        cache.append(k[:, :, :2], k[:, :, :2])
    with torch.no_grad():
        assert torch.equal(cache.append(k[:, :, 2:], k[:, :, 2:])[0], k)


def test_scratch_is_never_read() -> None:
    cache = KVCache(capacity=8)
    cache.append(keys(1), keys(1))
    assert cache._k is not None
    cache._k[:, :, 1:] = torch.nan
    assert cache.append(keys(2), keys(2))[0].isfinite().all()


def test_capacity_is_a_count() -> None:
    with pytest.raises(UsageError, match="capacity"):
        KVCache(capacity=0)
