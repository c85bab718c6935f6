"""A schedule is made once, and never outlives what it was made of."""

from __future__ import annotations

import gc
import math
import threading

import pytest
import torch
from torch import Tensor

from attention.schedule.long_masks import written_out
from heedful.attention.schedule import cache
from heedful.attention.schedule.cache import Cache, schedule
from heedful.attention.schedule.identity import identity
from heedful.attention.schedule.schedule import Schedule
from heedful.masks import Causal, Dense, Documents, Mask, Padding, Prefix, Rule, Sinks, Window

CPU = torch.device("cpu")
WIDE = 3


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Cache:
    kept = Cache()
    monkeypatch.setattr(cache, "KEPT", kept)
    return kept


def of(mask: Mask, n: int = 70) -> Schedule:
    return schedule(mask, 1, 1, n, n, CPU)


def right(mask: Mask) -> bool:
    return torch.equal(written_out(of(mask)), mask.over(1, 1).dense(70, 70).expand(1, 1, 70, 70))


def test_masks_that_say_the_same_share_one() -> None:
    assert of(Causal() & (Window(4) | ~Sinks(2))) is of(Causal() & (Window(4) | ~Sinks(2)))
    assert of(Causal()) is not of(Causal(), 71)
    assert of(Window(4)) is not of(Window(5))
    assert of(Sinks(4)) is not of(Prefix(4))
    assert schedule(Causal(), 1, 1, 3, 70, CPU) is not schedule(Causal(), 1, 1, 4, 70, CPU)


def test_the_same_tensor_in_other_masks_shares_one() -> None:
    lengths = torch.tensor([30])
    assert of(Causal() & Padding(lengths)) is of(Causal() & Padding(lengths))
    assert of(Padding(lengths)) is not of(Padding(lengths, "left"))
    assert of(Padding(lengths)) is not of(Padding(lengths.clone()))


@pytest.mark.parametrize(
    ("mask", "tensor"),
    [
        (lambda t: Padding(t), torch.tensor([30])),
        (lambda t: Window(3) | Prefix(t) & Causal(), torch.tensor([30])),
        (lambda t: ~Documents(t), torch.arange(70)[None] // 9),
        (lambda t: Dense(t), torch.arange(70 * 70).view(70, 70) % 3 == 0),
        (lambda t: Causal().at(t, torch.arange(70)), torch.arange(70)),
        (lambda t: Rule(lambda b, h, q, k: k < t[b]), torch.tensor([30])),
        (lambda t: Rule(lambda b, h, q, k, t=t: k < t[b]), torch.tensor([30])),
    ],
)
def test_a_tensor_written_to_is_read_again(mask: object, tensor: Tensor) -> None:
    assert callable(mask)
    rule = mask(tensor.clone())
    held = next(iter(identity(rule).tensors))
    before = of(rule)
    assert of(rule) is before
    held.copy_(torch.zeros_like(held))
    assert of(rule) is not before
    assert right(rule)


def test_a_tensor_at_the_place_of_another_is_not_taken_for_it(fresh: Cache) -> None:
    for n in range(1, 20):
        assert right(Padding(torch.tensor([n])))
        gc.collect()
    assert len(fresh.kept) <= 2


def test_tensors_that_do_not_count_their_writes_are_read_each_time(fresh: Cache) -> None:
    with torch.inference_mode():
        lengths = torch.tensor([30])
        assert of(Padding(lengths)) is not of(Padding(lengths))
        lengths.fill_(7)
        assert right(Padding(lengths))
    assert not fresh.kept


def test_what_is_kept_is_of_plain_tensors() -> None:
    with torch.inference_mode():
        made = of(Causal() & Window(9))
    assert not any(x.is_inference() for x in (made.start, made.column, made.tile, made.bits))


def test_functions_are_known_by_what_they_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def near(width: float) -> Mask:
        return Rule(lambda b, h, q, k: (q - k).abs() < width + math.pi + WIDE)

    assert of(near(3)) is of(near(3))
    assert of(near(3)) is not of(near(4))
    before = of(near(3))
    monkeypatch.setitem(near.__globals__, "WIDE", 9)
    assert of(near(3)) is not before
    assert right(near(3))


def opaque(width: list[int]) -> list[Mask]:
    """Rules whose answers may change unseen."""

    class Callable:
        def __call__(self, b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return (q - k) < width[0]

    return [
        Rule(lambda b, h, q, k: (q - k) < width[0]),
        Rule(Callable()),
        Rule(lambda b, h, q, k: (q - k) < max(x for x in width)),
        Rule(lambda b, h, q, k: right is not None and (q - k) < width[0]),
    ]


@pytest.mark.parametrize("which", range(4))
def test_functions_of_what_may_change_unseen_are_asked_each_time(which: int, fresh: Cache) -> None:
    width = [5]
    rule = opaque(width)[which] & Causal()
    assert right(rule)
    width[0] = 50
    assert right(rule)
    assert not fresh.kept


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", Cache(entries=2))
    first, second = of(Window(1)), of(Window(2))
    assert of(Window(1)) is first
    of(Window(3))
    assert of(Window(1)) is first
    assert of(Window(2)) is not second


def test_no_more_bytes_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(size=of(Window(1)).nbytes)
    monkeypatch.setattr(cache, "KEPT", kept)
    assert of(Window(1)) is of(Window(1))
    of(Window(2))
    assert len(kept.kept) == 1


def test_threads_may_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", Cache(entries=3))
    wrong: list[int] = []

    def work(seed: int) -> None:
        for turn in range(40):
            size = (seed + turn) % 7 + 1
            wrong.extend([size] if of(Window(size)).pairs != sum(min(70, i + 1) - max(0, i + 1 - size) for i in range(70)) else [])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
