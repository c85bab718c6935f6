from __future__ import annotations

import copy
import pickle

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.masks import And, Blocks, Causal, Dense, Documents, Mask, Not, Or, Padding, Rule, Sinks, Window

TABLE = torch.ones(3, 3, dtype=torch.bool).tril()


def test_joining_joins_the_tables() -> None:
    one, other = Window(2).dense(4, 4), Blocks(2).dense(4, 4)
    assert torch.equal((Window(2) & Blocks(2)).dense(4, 4), one & other)
    assert torch.equal((Window(2) | Blocks(2)).dense(4, 4), one | other)
    assert torch.equal((~Window(2)).dense(4, 4), ~one)


def test_nested_parts_are_flat() -> None:
    a, b, c = Causal(), Window(2), Sinks(1)
    assert (a & b) & c == a & (b & c) == And((a, b, c)) == And((And((a, b)), c))
    assert (a | b) | c == Or((a, b, c))
    assert ((a | b) & c).parts == (a | b, c)
    assert ~~(a & b) == a & b


def test_it_reads_as_it_is_written() -> None:
    written = (
        "Causal() & Window(size=4)",
        "Causal() & (Sinks(n=1) | Window(size=4, ahead=2))",
        "(Causal() & Sinks(n=1)) | Blocks(size=2)",
        "~(Causal() & Window(size=4)) & ~Blocks(size=2)",
        "~Causal()",
    )
    names = {kind.__name__: kind for kind in (Causal, Window, Sinks, Blocks)}
    for text in written:
        assert repr(eval(text, names)) == text
    assert repr(Documents(torch.zeros(2, 8, dtype=torch.int64))) == "Documents(ids=<int64 (2, 8)>)"
    assert repr(Padding(torch.tensor([1]), side="left")) == "Padding(lengths=<int64 (1,)>, side='left')"


def test_a_tensor_joins_from_either_side() -> None:
    for joined in (Causal() & TABLE, TABLE & Causal()):
        assert isinstance(joined, And)
        assert torch.equal(joined.dense(3, 3)[0, 0], TABLE)
    assert isinstance(TABLE | Causal(), Or)
    with pytest.raises(UsageError, match="bias="):
        Causal() & torch.zeros(3, 3)
    with pytest.raises(UsageError, match="Or combines masks and bool tensors: found None"):
        Causal() | None  # type: ignore[operator]
    with pytest.raises(UsageError, match="found int"):
        Causal() & 3  # type: ignore[operator]


def test_a_mask_is_neither_true_nor_false() -> None:
    with pytest.raises(UsageError, match=r"Causal\(\) is neither true nor false: combine masks with & | ~"):
        Causal() and Window(2)


def test_sizes_that_do_not_agree_are_refused_at_once() -> None:
    two, three = Padding(torch.tensor([1, 1])), Padding(torch.tensor([1, 1, 1]))
    with pytest.raises(ShapeError, match=r"different numbers of sequences do not combine: found .*\(2,\).* for 2, .*\(3,\).* for 3"):
        Causal() & two & ~three
    with pytest.raises(ShapeError, match="different numbers of heads"):
        Dense(torch.ones(2, 3, 3, dtype=torch.bool)) | Rule(lambda b, h, q, k: k <= q, made_for=(1, 3))
    with pytest.raises(UsageError, match="one mask or more: found none"):
        And(())


def test_one_sequence_stands_for_all() -> None:
    ids = torch.tensor([[0, 0, 1]])
    joined = Documents(ids) & Padding(torch.tensor([3, 2]))
    assert joined.batch == 2
    assert torch.equal(joined.dense(3, 3)[1, 0], Documents(ids).dense(3, 3)[0, 0] & torch.tensor([True, True, False]))
    at = joined.at(torch.arange(3), torch.arange(3))
    assert torch.equal(at.dense(3, 3), joined.dense(3, 3))


@pytest.mark.parametrize("mask", [Causal() & Window(3), ~(Sinks(1) | Blocks(2)), Dense(TABLE) & Causal()], ids=str)
def test_masks_are_copied_and_stored(mask: Mask) -> None:
    for twin in (copy.deepcopy(mask), pickle.loads(pickle.dumps(mask))):
        assert torch.equal(twin.dense(3, 3), mask.dense(3, 3))


def test_rules_without_tensors_are_keys() -> None:
    assert {Causal() & Window(3): 1}[Causal() & Window(3)] == 1
    assert Window(3) != Window(3, ahead=1)
    assert Not(Causal()) == ~Causal()


def test_masks_move_to_a_device() -> None:
    meta = torch.device("meta")
    mask = Causal() & ~Documents(torch.zeros(2, 3, dtype=torch.int64)) & Dense(TABLE)
    assert mask.home == torch.device("cpu")
    assert mask.to(meta).home == meta
    assert mask.dense(3, 3, "meta").shape == (2, 1, 3, 3)
