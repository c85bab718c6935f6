"""`heedful.explain`: what it gives, and how it shows itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import heedful
from heedful.data.tokens import train_tokenizer
from heedful.errors import Unsupported, UsageError
from heedful.explanations.faithfulness.interval import Interval
from heedful.explanations.faithfulness.standing import Standing
from heedful.explanations.methods.attention import Attention


def test_scores_tokens_and_faithfulness(encoder: nn.Module) -> None:
    words = train_tokenizer("word", ["one two three four five six seven eight nine"], 11)
    found = heedful.explain(encoder, "two one", tokenizer=words, target="yes")
    assert found.tokens == ("␣two", "␣one")
    with torch.no_grad():
        whole, empty = (
            float(encoder(row[None]).logits.softmax(-1)[0, 2]) for row in (words.encode("two one"), torch.zeros(1, dtype=torch.long))
        )
    assert found.probability == pytest.approx(whole)
    faith = found.faithfulness(fractions=(0.5, 1.0), against=4)
    assert faith.curve.without[1] == pytest.approx(whole - empty)
    assert faith.curve.alone[1] == pytest.approx(0.0, abs=1e-12)
    assert 0.0 <= faith.beats <= 1.0
    several = heedful.explain(encoder, ["two one", "one"], tokenizer=words, method=Attention(layer=1))
    assert [len(each.scores) for each in several] == [2, 1]


def test_it_shows_itself(encoder: nn.Module, ids: torch.Tensor, tmp_path: Path) -> None:
    found = heedful.explain(encoder, ids, target="yes", contrast="no")
    page = found.html()
    assert page.startswith("<!doctype html>")
    assert "Why yes and not no" in page
    assert "rgba(" in found._repr_html_()
    assert "does not say why" in heedful.explain(encoder, ids, method="attention").html()
    for name in ("a.png", "a.svg"):
        found.plot(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    first = (tmp_path / "a.svg").read_bytes()
    found.plot(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes() == first
    with pytest.raises(UsageError, match=r"\.png"):
        found.plot(tmp_path / "a.gif")
    heads = heedful.explain(encoder, ids, method="head_ablation")
    assert heads.tokens[0] == "layer 1 head 1"
    assert "layer 2 head 4" in heads.html()
    with pytest.raises(Unsupported, match="heads"):
        heads.faithfulness()


def test_no_better_than_chance_has_no_colours(encoder: nn.Module, ids: torch.Tensor) -> None:
    from dataclasses import replace

    found = heedful.explain(encoder, ids)
    poor = Standing("measured", 20, "a set", 0.1, 0.2, Interval(0.0, -0.1, 0.1))
    shown = replace(found, standing=poor).html()
    assert "no better than scores drawn at random" in shown
    assert "background:rgba" not in shown
    good = replace(found, standing=replace(poor, over_random=Interval(0.2, 0.1, 0.3))).html()
    assert "background:rgba" in good
    assert "Measured on 20 texts of a set" in good


def test_bad_requests_say_what_would_work(encoder: nn.Module, ids: torch.Tensor) -> None:
    for asked, words in (
        ({"method": "roll_out"}, "rollout"),
        ({"target": "perhaps"}, "no, yes"),
        ({"target": "yes", "contrast": "yes"}, "another contrast"),
    ):
        with pytest.raises(UsageError, match=words):
            heedful.explain(encoder, ids, **asked)
    with pytest.raises(UsageError, match="tokenizer="):
        heedful.explain(encoder, "a text")
    with pytest.raises(UsageError, match="32"):
        heedful.explain(encoder, torch.zeros(33, dtype=torch.long))
    with pytest.raises(UsageError, match="against=0"):
        heedful.explain(encoder, ids).faithfulness(against=0)
