"""`heedful train generate --budget`: windows that grow, or spans that pay, and the same curve after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SPAN = ["--set", "model.attention.span.start=0.8", "--set", "model.attention.span.ramp=8"]


def words(text: Path, tiny: list[str], *more: str) -> list[object]:
    return ["--data", text, *tiny, "--set", "model.context=128", "--set", "train.log_every=1", "--set", "train.schedule=constant", *more]


@pytest.mark.parametrize(("more", "told"), [([], "windows of 64 tokens over the first"), (SPAN, "gates and spans pay 1 nats")])
def test_a_budget_is_told_and_kept(heedful: Callable, text: Path, tiny: list[str], more: list[str], told: str) -> None:
    said = heedful("train", "generate", *words(text, tiny, *more, "--budget", "0.8"), "--set", "train.steps=4", "--out", "run")
    assert said.code == 0, said.error
    assert told in said.error
    assert heedful("predict", "run", "to be", "--max-tokens", "5").code == 0


def test_a_run_with_spans_goes_on_with_the_same_curve(heedful: Callable, text: Path, tiny: list[str]) -> None:
    given = words(text, tiny, *SPAN, "--budget", "0.8")
    assert heedful("train", "generate", *given, "--set", "train.steps=6", "--out", "whole").code == 0
    assert heedful("train", "generate", *given, "--set", "train.steps=3", "--out", "parts").code == 0
    assert heedful("train", "generate", "--out", "parts", "--resume", "--set", "train.steps=6").code == 0
    assert losses(text.parent / "whole") == losses(text.parent / "parts")


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def test_a_budget_that_cannot_be_is_refused(heedful: Callable, refused: Callable, text: Path, tiny: list[str]) -> None:
    refused(heedful("train", "generate", *words(text, tiny), "--budget", "1.5", "--out", "run"), 2, "budget", "(0, 1]")
    refused(heedful("train", "generate", *words(text, tiny), "--budget", "0.05", "--out", "run"), 2, "train.budget", "0.05")
    assert not (text.parent / "run").exists()
