"""Heads that have learnt how far to look: under a plan the rest is neither computed nor kept."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import heedful
from heedful.layers.span import AdaptiveSpan
from heedful.manage.apply.apply import changed
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.hosts.ours import Ours
from heedful.models.build import build
from heedful.models.decoder import Decoder
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, SpanSpec

LENGTH = 200
IDS = torch.randint(11, (2, LENGTH), generator=torch.Generator().manual_seed(0))
SHARES = (0.02, 0.15, 0.15, 1.0)  # of 256 tokens; with the ramp 38, 71, 71 and all of them


@pytest.fixture
def model() -> Decoder:
    torch.manual_seed(0)
    attention = AttentionSpec(span=SpanSpec(start=0.5), position=MechanismSpec("rope"))
    made = build(DecoderSpec(vocabulary=11, context=256, layers=2, width=32, heads=4, attention=attention)).eval()
    assert isinstance(made, Decoder)
    for module in made.modules():
        if isinstance(module, AdaptiveSpan):
            nn.init.constant_(module.span, 0.0)
            with torch.no_grad():
                module.span.copy_(torch.tensor(SHARES))
    return made


def full(model: nn.Module) -> list[list[str]]:
    return [["full"] * site.heads for site in Ours().sites(model)]


@torch.no_grad()
def test_what_is_out_of_reach_is_left_out_and_nothing_changes(model: Decoder) -> None:
    dense = model(IDS).logits
    with changed(model, full(model), 0):
        layer = model.layers[0].attention
        assert isinstance(layer, PlannedAttention)
        assert [str(group.rule) for group in layer.arrangement.groups] == ["None", "Window(size=128)", "Window(size=64)"]
        torch.testing.assert_close(model(IDS).logits, dense, atol=1e-5, rtol=1e-5)
        cache = model.new_cache()
        parts = [model(IDS[:, :150], cache=cache).logits]
        parts += [model(IDS[:, at : at + 1], cache=cache).logits for at in range(150, LENGTH)]
        torch.testing.assert_close(torch.cat(parts, 1), dense, atol=1e-5, rtol=1e-5)
        keys = cache.blocks[0].keys
        assert isinstance(keys, RaggedCache)
        assert keys.bytes == 2 * 2 * 8 * 4 * (LENGTH + 128 + 128 + 64)  # batch, keys and values, width, bytes


def test_a_window_wider_than_the_reach_is_the_reach(model: Decoder) -> None:
    rows = [["window(150,4)", "window(16,0)", "drop", "full"]] * 2
    with changed(model, rows, 0):
        layer = model.layers[0].attention
        assert isinstance(layer, PlannedAttention)
        assert [str(group.rule) for group in layer.arrangement.groups] == ["None", "Window(size=64)", "Window(size=16)"]


def test_a_site_slides_by_the_widest_of_its_spans(model: Decoder) -> None:
    assert [site.window for site in Ours().sites(model)] == [None, None]  # one head of each sees all
    for module in model.modules():
        if isinstance(module, AdaptiveSpan):
            module.span.data.clamp_(max=0.15)
    assert [site.window for site in Ours().sites(model)] == [71, 71]
    profile = heedful.profile(model, [{"input_ids": IDS}], options=["full", "window(96,0)", "window(32,0)"])
    plan = heedful.plan(profile, heedful.Budget(operations=0.9, length=LENGTH))
    assert "window(96,0)" not in plan.options  # it leaves nothing out
    assert plan.dense.operations < 8 * 4 * 8 * LENGTH * 71
