"""A model with learned spans under the manager: queries and keys are turned once, and each head keeps its own biases."""

from __future__ import annotations

import torch

from heedful.layers.span import AdaptiveSpan
from heedful.manage.options.table import parse
from heedful.manage.simulate import simulated
from heedful.models.build import build
from heedful.spec import AttentionSpec, DecoderSpec, SpanSpec


def test_watching_changes_nothing_and_a_window_is_a_window() -> None:
    spec = DecoderSpec(vocabulary=30, context=96, width=32, layers=2, heads=4, attention=AttentionSpec(span=SpanSpec(start=0.3, ramp=8)))
    model = build(spec).eval()
    for module in model.modules():
        if isinstance(module, AdaptiveSpan):
            module.span.data.copy_(torch.tensor([0.0, 0.1, 0.5, 1.0]))
    ids = torch.randint(30, (2, 96))
    with torch.no_grad():
        whole = model(ids).logits
        with simulated(model, {}):
            torch.testing.assert_close(model(ids).logits, whole, atol=1e-6, rtol=1e-6)
        wide, narrow = ({(site, head): parse(f"window({size},0)") for site in range(2) for head in range(4)} for size in (200, 4))
        with simulated(model, wide):
            torch.testing.assert_close(model(ids).logits, whole, atol=1e-6, rtol=1e-6)
        with simulated(model, narrow):
            assert not torch.allclose(model(ids).logits, whole, atol=1e-4)
