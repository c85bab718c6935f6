"""Every family of Hugging Face models: watched by a handler that changes nothing, it says what it said before."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface

from heedful.attention.masks.window import Window
from heedful.errors import Unsupported
from heedful.manage.seen import Seen
from heedful.manage.watch import sites, watched
from manage.hosts.families import REFUSED, SERVED, Family, batch, made

SIDES: tuple[Literal["none", "left", "right"], ...] = ("none", "right", "left")
EVERY = pytest.mark.parametrize("family", SERVED, ids=lambda family: family.name)
STEPS: dict[str, Any] = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}


def plain(seen: Seen) -> Tensor:
    out: Tensor = seen.attend()
    return out


def real(family: Family, given: dict[str, Tensor], logits: Tensor) -> Tensor:
    """The scores that matter: of the tokens that are none of the padding."""
    return logits if family.kind == "seq2seq" else logits[given["attention_mask"].bool()]


@EVERY
def test_the_dense_model_is_reached(family: Family) -> None:
    model = made(family)
    for side in SIDES:
        given = batch(side, family)
        with torch.set_grad_enabled(side == "left"):
            dense, before = judged(model, family, given)
            with watched(model, plain):
                same, after = judged(model, family, given)
        assert bool(torch.isfinite(same).all())
        torch.testing.assert_close(same, dense, rtol=1e-5, atol=1e-5)
        assert before.keys() == after.keys()
        for name, gradient in before.items():
            torch.testing.assert_close(after[name], gradient, rtol=1e-3, atol=1e-5, msg=name)
    assert before
    assert model.config._attn_implementation == "eager"
    assert not [name for table in (AttentionInterface(), AttentionMaskInterface()) for name in table if "heedful" in name]


def judged(model: Any, family: Family, given: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The scores that matter, and the gradients of their mean square."""
    model.zero_grad()
    logits = real(family, given, model(**given).logits)
    if torch.is_grad_enabled():
        logits.square().mean().backward()
    return logits, {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@EVERY
def test_what_the_handler_gives_is_what_the_model_says(family: Family) -> None:
    model, given, called = made(family), batch("none", family), []

    def nothing(seen: Seen) -> Tensor:
        called.append(seen.site)
        return torch.zeros_like(plain(seen))

    with torch.no_grad():
        dense = model(**given).logits
        with watched(model, nothing):
            other = model(**given).logits
    assert not torch.allclose(dense, other, atol=1e-3)
    assert set(called) == set(sites(model))


@pytest.mark.parametrize("family", [family for family in SERVED if family.kind != "encoder"], ids=lambda family: family.name)
def test_generation_is_equal_token_for_token(family: Family) -> None:
    model, given = made(family), batch("left", family)
    given.pop("decoder_input_ids", None)
    for cache in ("dynamic", "static"):
        dense = model.generate(**given, **STEPS, cache_implementation=cache)
        with watched(model, plain):
            same = model.generate(**given, **STEPS, cache_implementation=cache)
        assert torch.equal(same, dense), cache


@pytest.mark.parametrize("name", REFUSED)
def test_attention_of_its_own_is_refused_by_name(name: str) -> None:
    model = REFUSED[name]()
    with pytest.raises(Unsupported, match=f"{type(model).__name__}: its attention cannot be managed: .*code of its own"):
        sites(model)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("Llama", {"Causal() & Padding(lengths=<int64 (3,)>, side='left')"}),
        ("Mistral", {"Causal() & Window(size=4) & Padding(lengths=<int64 (3,)>, side='left')"}),
        ("Llama 4", {"Causal() & Documents(ids=<int64 (3, 11)>) & Padding(lengths=<int64 (3,)>, side='left')"}),
        ("BERT", {"Padding(lengths=<int64 (3,)>, side='left')"}),
        ("T5", {"Causal()", "Padding(lengths=<int64 (3,)>, side='left')"}),
    ],
)
def test_the_handler_sees_rules_and_no_tables(name: str, rules: set[str]) -> None:
    family = next(family for family in SERVED if family.name == name)
    model, found = made(family), set()

    def noted(seen: Seen) -> Tensor:
        found.add(repr(seen.mask))
        return plain(seen)

    with torch.no_grad(), watched(model, noted):
        model(**batch("left", family))
    assert found == rules


@EVERY
def test_a_site_knows_the_window_of_its_layer(family: Family) -> None:
    model, found = made(family), {}

    def noted(seen: Seen) -> Tensor:
        parts = getattr(seen.mask, "parts", (seen.mask,))
        found[seen.site] = next((part.size for part in parts if isinstance(part, Window)), None) if seen.site.causal else None
        return plain(seen)

    with torch.no_grad(), watched(model, noted):
        model(**batch("none", family))
    assert {site: site.window for site in sites(model)} == found
