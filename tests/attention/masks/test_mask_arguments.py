"""What a rule cannot be made of, and what it cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from heedful.errors import UsageError
from heedful.masks import BigBird, Blocks, Causal, Dilated, Mask, Prefix, Random, Sinks, Strided, Window

REFUSED: tuple[tuple[type[Mask], dict[str, Any], str], ...] = (
    (Window, {"size": 0}, r"Window\(size=...\) is a whole number of 1 or more: found 0"),
    (Window, {"size": 2.5}, "found 2.5"),
    (Window, {"size": True}, "found True"),
    (Window, {"size": 2, "ahead": -1}, r"Window\(ahead=...\) is a whole number of 0 or more: found -1"),
    (Sinks, {"n": -1}, "found -1"),
    (Prefix, {"n": -2}, "found -2"),
    (Prefix, {"n": torch.tensor([1, -2])}, "lengths of 0 or more: found -2"),
    (Prefix, {"n": torch.tensor([1.0])}, "whole numbers: found float32"),
    (Strided, {"stride": 0}, "found 0"),
    (Dilated, {"size": 1, "step": 0}, r"Dilated\(step=...\)"),
    (Dilated, {"size": 0, "step": 1}, r"Dilated\(size=...\)"),
    (Blocks, {"size": "4"}, "found '4'"),
    (Random, {"keys": 0}, r"Random\(keys=...\)"),
    (Random, {"keys": 1, "seed": 1.5}, r"Random\(seed=...\) is a whole number: found 1.5"),
    (BigBird, {"block": 0}, r"BigBird\(block=...\)"),
    (BigBird, {"block": 1, "window": 0}, r"BigBird\(window=...\)"),
    (BigBird, {"block": 1, "sinks": -1}, r"BigBird\(sinks=...\)"),
    (BigBird, {"block": 1, "seed": None}, r"BigBird\(seed=...\)"),
)


@pytest.mark.parametrize(("kind", "arguments", "message"), REFUSED, ids=str)
def test_refused(kind: type[Mask], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**arguments)


def test_negative_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match=r"Causal\(\) was asked about -1 queries and 3 keys"):
        Causal().dense(-1, 3)
    with pytest.raises(UsageError, match="3 queries and -1 keys"):
        (Causal() & Window(2)).density(3, -1)


def test_rules_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Window(2).size = 3  # type: ignore[misc]
