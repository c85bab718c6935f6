"""Where it looked: rows that belong to the new tokens, weights that are the model's, a page that holds it all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.generate import Generate
from heedful.tasks.loading import load
from heedful.tasks.looked import looked, looks_of
from heedful.tasks.task import Asked, View

ASKED = Asked(Sampling(), Ending(max_tokens=6), seed=0)


def test_each_new_token_lists_what_the_step_that_made_it_read(run: Path) -> None:
    (answer,) = Generate().predict(run, ["to be"], ASKED)
    found = looked(answer, View(layer=1, head=1, top=3))
    assert json.loads(json.dumps(found.record))["start"] == 5
    loaded = load(run)
    text = loaded.tokenizer.encode(found.record["prompt"] + found.record["text"])
    with torch.no_grad():
        weights = loaded.model(text[None], trace=True).traces[0].weights[0, 0]
    for entry in found.record["looked"]:
        row = weights[entry["place"] - 1]
        assert [at["place"] for at in entry["at"]] == row.topk(3).indices.tolist()
        assert entry["at"][0]["weight"] == pytest.approx(row.max().item(), abs=1e-4)
        assert all(at["place"] < entry["place"] for at in entry["at"])


def test_the_mean_is_over_layers_and_heads(rope_run: Path) -> None:
    (answer,) = Generate().predict(rope_run, ["to be"], ASKED)
    answer.record()
    looks = looks_of(answer)
    stacked = torch.stack([layer.weights for layer in looks.layers])
    assert stacked.shape == (2, 4, 6, 11)
    assert torch.allclose(looks.chosen(View()), stacked.mean((0, 1)))
    assert torch.allclose(looks.chosen(View(head=2)), stacked[:, 1].mean(0))
    assert torch.allclose(looks.chosen(View(layer=2, head=3)), stacked[1, 2])


def test_a_page_is_self_contained(run: Path) -> None:
    page = Generate().explain(run, "to be", ASKED, View()).page
    assert page.startswith("<!doctype html>")
    assert "http://" not in page
    assert "data-looks" in page


def test_a_long_text_is_bounded_and_says_so(rope_run: Path) -> None:
    asked = Asked(Sampling(), Ending(max_tokens=40), seed=0)
    found = Generate().explain(rope_run, "to be or not", asked, View())
    assert len(found.record["pieces"]) == 16
    assert "Of 52 tokens, the last 16 are shown." in found.page


def test_what_is_not_there_is_refused(rope_run: Path) -> None:
    with pytest.raises(UsageError, match="--layer 3: the model has 2 layers"):
        Generate().explain(rope_run, "to be", ASKED, View(layer=3))
    with pytest.raises(UsageError, match="--head 0"):
        Generate().explain(rope_run, "to be", ASKED, View(head=0))
    with pytest.raises(UsageError, match="no new token"):
        Generate().explain(rope_run, "to be", Asked(ending=Ending(max_tokens=0)), View())


def test_a_model_without_attention_has_nothing_to_show(plain_run: Path) -> None:
    with pytest.raises(UsageError, match="no attention to show"):
        Generate().explain(plain_run, "to be", ASKED, View())
