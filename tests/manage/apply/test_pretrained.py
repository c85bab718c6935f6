"""Hugging Face models under plans: all-full is the model itself, and a plan is what its simulation says, through padding and caches."""

from __future__ import annotations

import pytest
import torch

import heedful
from heedful.attention.native import ragged
from heedful.errors import Unsupported, UsageError
from heedful.manage.apply.apply import applied, changed
from heedful.manage.simulate import simulated
from heedful.manage.watch import sites
from manage.apply.models import assignment
from manage.hosts.families import SERVED, batch, made

QUICK = ("Llama", "Gemma2", "BERT", "T5")
FAMILIES = [pytest.param(family, id=family.name, marks=() if family.name in QUICK else pytest.mark.slow) for family in SERVED]
DECODERS = [each for each in FAMILIES if each.values[0].kind == "decoder"]
SPEAKERS = [each for each in FAMILIES if each.values[0].kind != "encoder"]
COMPRESSED = "DeepSeek-V3"  # its keys are made from compressed ones, and no cache of ours holds them
ENTRANCE = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
SIDES = ("none", "left", "right")


def choices(model, row):
    return [[row[head % len(row)] if site.kind == "self" else "full" for head in range(site.heads)] for site in sites(model)]


def read(model, ids, prompt, **more):
    """Logits of a prompt, then token by token."""
    out = model(input_ids=ids[:, :prompt], use_cache=True, **more)
    logits, cache = [out.logits], out.past_key_values
    for at in range(prompt, ids.shape[1]):
        out = model(input_ids=ids[:, at : at + 1], past_key_values=cache, use_cache=True)
        logits.append(out.logits)
    return torch.cat(logits, dim=1), cache


def lightly_padded(family, side):
    """Fewer tokens of padding than any window is long: where a query sees nothing, models say anything."""
    found = {name: x for name, x in batch("none", family).items() if name in ("input_ids", "attention_mask")}
    if side != "none":
        found["attention_mask"][0, slice(0, 2) if side == "left" else slice(-2, None)] = 0
        found["input_ids"] = found["input_ids"].where(found["attention_mask"].bool(), 0)
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", FAMILIES)
def test_all_full_is_the_model(family):
    model = made(family)
    rows = choices(model, ["full", "full", "full", "window(4096,0)"])
    for side in SIDES:
        asked = batch(side, family)
        with torch.no_grad():
            wanted = model(**asked).logits
            with changed(model, rows, 0):
                found = model(**asked).logits
        real = asked["attention_mask"].bool() if found.shape[:2] == asked["attention_mask"].shape else slice(None)
        torch.testing.assert_close(found[real], wanted[real], atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", SPEAKERS)
def test_all_full_says_the_same(family):
    model = made(family)
    rows = choices(model, ["full", "full", "full", "window(4096,0)"])
    for side in SIDES:
        asked = lightly_padded(family, side)
        wanted = model.generate(**asked, **ENTRANCE)
        with changed(model, rows, 0):
            assert torch.equal(model.generate(**asked, **ENTRANCE), wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_are_as_simulated(family):
    model, asked = made(family), batch("none", family)
    grouped = ["window(4,1)", "window(4,1)", "full", "drop"]
    rows = choices(model, grouped if family.kind == "decoder" else ["window(5,1)", "full", "window(3,0)", "drop"])
    with torch.no_grad():
        with simulated(model, assignment(rows)):
            wanted = model(**asked).logits
        with changed(model, rows, 0):
            torch.testing.assert_close(model(**asked).logits, wanted, atol=1e-5, rtol=1e-5)
            if family.kind == "decoder":
                torch.testing.assert_close(read(model, asked["input_ids"], 6)[0], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", DECODERS)
def test_evictions_are_as_simulated(family):
    model, ids = made(family), batch("none", family)["input_ids"]
    places = sites(model)
    rows = [["h2o(4)" if site.group(head) % 2 else "streaming(3,1)" for head in range(site.heads)] for site in places]
    if family.name == COMPRESSED:
        with pytest.raises(Unsupported, match="compressed"), changed(model, rows, 0):
            pass
        return
    with torch.no_grad():
        with simulated(model, assignment(rows), prefill=7):
            wanted = model(input_ids=ids).logits
        with changed(model, rows, 0):
            found, cache = read(model, ids, 7)
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(read(model, ids, 7, attention_mask=torch.ones_like(ids[:, :7]))[0], wanted, atol=1e-5, rtol=1e-5)
    site = places[0]
    tokens = sum(4 + (11 - 7 if group % 2 else 0) for group in range(site.kv_heads))
    assert cache.layers[0].bytes == len(ids) * tokens * (site.d + site.v) * 4


@pytest.fixture(params=["compiled", "torch"])
def engine(request, monkeypatch):
    """Steps by the library and by torch's operations, memory that was not written to full of NaN."""
    empty = torch.Tensor.new_empty

    def new_empty(self, *size, **more):
        made = empty(self, *size, **more)
        return made.fill_(torch.nan) if made.is_floating_point() else made

    monkeypatch.setattr(torch.Tensor, "new_empty", new_empty)
    if request.param == "torch":
        monkeypatch.setattr(ragged, "door", lambda: "left out")
        with heedful.backend("naive"):
            yield
    else:
        yield


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("name", ["Llama", "GPT-2", "Gemma2"])
@pytest.mark.parametrize("row", [["window(4,1)", "window(4,1)", "full", "full"], ["h2o(4)", "h2o(4)", "streaming(3,1)", "streaming(3,1)"]])
def test_padding_on_the_left_changes_nothing(name, row):
    family = next(each for each in SERVED if each.name == name)
    model, asked = made(family), batch("left", family)
    with changed(model, choices(model, row), 0):
        padded = model.generate(**asked, **ENTRANCE)
        alone = model.generate(asked["input_ids"][:1, 4:], **ENTRANCE)
    assert padded[0, 4:].tolist() == alone[0].tolist()


@pytest.mark.parametrize("beams", [{"num_beams": 3}, {"do_sample": True, "num_return_sequences": 2}])
def test_beams_and_samples(beams):
    family = next(each for each in SERVED if each.name == "Llama")
    model, asked = made(family), batch("none", family)
    rows = choices(model, ["full", "full", "full", "window(4096,0)"])
    torch.manual_seed(3)
    wanted = model.generate(**asked, **{**ENTRANCE, **beams})
    torch.manual_seed(3)
    with changed(model, rows, 0):
        assert torch.equal(model.generate(**asked, **{**ENTRANCE, **beams}), wanted)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_a_callers_cache_is_honoured(kind):
    """Windows are what they are under any cache; what evicts needs the plan's own."""
    from transformers import DynamicCache, StaticCache

    family = next(each for each in SERVED if each.name == "Mistral")
    model, ids = made(family), batch("none", family)["input_ids"]
    rows = choices(model, ["window(3,0)", "window(3,0)", "full", "full"])

    def cache():
        return DynamicCache(config=model.config) if kind == "dynamic" else StaticCache(config=model.config, max_cache_len=16)

    with torch.no_grad():
        with simulated(model, assignment(rows)):
            wanted = model(input_ids=ids, use_cache=False).logits
        with changed(model, rows, 0):
            torch.testing.assert_close(read(model, ids, 6, past_key_values=cache())[0], wanted, atol=1e-5, rtol=1e-5)
        with changed(model, choices(model, ["h2o(4)"]), 0), pytest.raises(Unsupported, match="past_key_values=None"):
            read(model, ids, 6, past_key_values=cache())


def test_dropped_heads_are_cut_out_and_put_back():
    family = next(each for each in SERVED if each.name == "Llama")
    model = made(family)
    before = {name: id(x) for name, x in model.named_parameters()}
    implementation = model.config._attn_implementation
    rows = choices(model, ["drop", "drop", "full", "window(4,1)"])
    with changed(model, rows):
        layer = model.model.layers[0].self_attn
        assert [x.out_features for x in (layer.q_proj, layer.k_proj, layer.v_proj)] == [16, 8, 8]
        assert layer.o_proj.in_features == 16
        model(torch.randint(3, 99, (1, 5)))
    assert {name: id(x) for name, x in model.named_parameters()} == before
    assert model.config._attn_implementation == implementation
    assert "_prepare_cache_for_generation" not in vars(model)
    assert not model._forward_pre_hooks


def test_what_is_refused_changes_nothing():
    family = next(each for each in SERVED if each.name == "T5")
    model = made(family)
    rows = [["h2o(4)"] * site.heads for site in sites(model)]
    with pytest.raises(Unsupported, match="phase prefill"), changed(model, rows):
        pass
    assert model.config._attn_implementation == "eager"


def test_weights_are_refused_by_name():
    family = next(each for each in SERVED if each.name == "Llama")
    model, asked = made(family), batch("none", family)
    with changed(model, choices(model, ["window(3,0)"])), pytest.raises(Unsupported, match="output_attentions"):
        model(**asked, output_attentions=True)


def test_a_plan_of_another_model():
    from manage.apply.models import plan_for

    family = next(each for each in SERVED if each.name == "Llama")
    model = made(family)
    plan = plan_for(model, choices(model, ["window(3,0)"]))
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1
    with pytest.raises(UsageError, match="made for the model"), applied(model, plan):
        pass


def test_one_map_in_thirds_is_cut_too():
    family = next(each for each in SERVED if each.name == "GPT-2")
    model, asked = made(family), batch("none", family)
    rows = choices(model, ["drop", "window(4,1)", "full", "window(4,1)"])
    layer = model.transformer.h[0].attn
    with torch.no_grad():
        with simulated(model, assignment(rows)):
            wanted = model(**asked).logits
        with changed(model, rows, 0):
            assert layer.c_attn.out_features == 3 * 3 * 8
            assert layer.c_proj.in_features == 3 * 8
            torch.testing.assert_close(read(model, asked["input_ids"], 6)[0], wanted, atol=1e-5, rtol=1e-5)
    assert layer.split_size == 32
