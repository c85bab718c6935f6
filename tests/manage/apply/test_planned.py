"""Planned models say what simulated ones say: in a pass, read in pieces, and token by token."""

from __future__ import annotations

import pytest
import torch

import heedful
from heedful.errors import Unsupported, UsageError
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.simulate import simulated
from manage.apply.models import FULL, as_planned, assignment, decoder, read

WINDOWS = ["window(16,2)", "full", "full", "window(16,2)"]
PLANS = {
    "one layer only": (4, [FULL, WINDOWS]),
    "windows of two sizes, and a dropped head": (4, [["window(16,2)", "window(32,4)", "drop", "window(16,2)"]] * 2),
    "query heads that share keys and differ": (2, [["window(16,2)", "window(32,4)", "drop", "full"]] * 2),
    "a key head nobody reads": (2, [["drop", "drop", "window(8,0)", "window(24,3)"]] * 2),
    "every eviction": (4, [["keynorm(16)", "h2o(16)", "snapkv(16)", "streaming(12,4)"]] * 2),
    "eviction of shared keys": (2, [["h2o(16)", "h2o(16)", "snapkv(16)", "snapkv(16)"]] * 2),
    "a layer without heads, and blocks": (4, [["drop"] * 4, ["blocks(16,2)", "full", "full", "drop"]]),
    "four kinds at once": (4, [["keynorm(16)", "window(16,2)", "full", "drop"]] * 2),
    "one key head for all": (1, [["window(16,2)", "window(8,0)", "full", "window(16,2)"]] * 2),
}
N, PROMPT = 72, 48


@pytest.mark.parametrize(("kv_heads", "choices"), PLANS.values(), ids=PLANS)
def test_equals_simulated(kv_heads, choices):
    model, ids = decoder(choices, kv_heads=kv_heads), torch.randint(0, 50, (2, N))
    with torch.no_grad():
        with simulated(model, assignment(choices)):
            whole = model(ids).logits
        with simulated(model, assignment(choices), prefill=PROMPT):
            steps = model(ids).logits
        with as_planned(model, choices):
            torch.testing.assert_close(model(ids).logits, whole, atol=1e-9, rtol=0)
            torch.testing.assert_close(read(model, ids, [PROMPT]), steps, atol=1e-9, rtol=0)
            torch.testing.assert_close(read(model, ids, [PROMPT, 7, 1, 5]), steps, atol=1e-9, rtol=0)
            torch.testing.assert_close(read(model, ids, [24, 24, 16], prompt=PROMPT), steps, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.1)])
@pytest.mark.parametrize("name", ["windows of two sizes, and a dropped head", "every eviction", "query heads that share keys and differ"])
def test_equals_simulated_in_types(name, dtype, tolerance):
    kv_heads, choices = PLANS[name]
    model, ids = decoder(choices, dtype, loud=1.5, kv_heads=kv_heads), torch.randint(0, 50, (1, N))
    with torch.no_grad():
        with simulated(model, assignment(choices), prefill=PROMPT):
            steps = model(ids).logits
        with as_planned(model, choices):
            torch.testing.assert_close(read(model, ids, [PROMPT]), steps, atol=tolerance, rtol=tolerance)


MECHANISMS = (
    {"attention": {"position": None}},
    {"attention": {"softcap": 5.0, "sinks": True, "temperature": True, "qk_norm": True}},
    {"attention": {"mask": "window"}},
    {"bias": True, "norm": "layer", "mlp": "gelu"},
    {"attention": {"position": "alibi"}},
    {"attention": {"position": "t5"}},
    {"attention": {"weighting": "sparsemax"}},
    {"attention": {"score": "cosine"}},
)


@pytest.mark.parametrize(
    ("fields", "native"), [*((fields, True) for fields in MECHANISMS), *((fields, False) for fields in MECHANISMS[:3])], ids=str
)
def test_mechanisms(fields, native, monkeypatch):
    from heedful.attention.native import ragged
    from heedful.spec import AttentionSpec, MechanismSpec

    if not native:
        monkeypatch.setattr(ragged, "door", lambda: "left out")
    made = dict(fields)
    if "attention" in fields:
        chosen = {
            name: MechanismSpec(value, {"size": 40} if value == "window" else {}) if isinstance(value, str) else value
            for name, value in fields["attention"].items()
        }
        if "mask" in chosen:
            chosen["mask"] = (chosen["mask"],)
        made["attention"] = AttentionSpec(**chosen)
    choices = [["window(16,2)", "keynorm(16)", "full", "drop"], ["streaming(12,4)", "full", "window(30,0)", "window(30,0)"]]
    model, ids = decoder(choices, loud=1.5, **made), torch.randint(0, 50, (2, 56))
    for name, parameter in model.named_parameters():
        if name.endswith(("sink_logits", "temperature")):
            parameter.data.add_(torch.rand_like(parameter))
    with torch.no_grad():
        with simulated(model, assignment(choices), prefill=44):
            steps = model(ids).logits
        with as_planned(model, choices):
            torch.testing.assert_close(read(model, ids, [44]), steps, atol=1e-9, rtol=0)
            torch.testing.assert_close(read(model, ids, [44, 5]), steps, atol=1e-9, rtol=0)


@pytest.mark.parametrize("row", [FULL, ["full", "full", "full", "window(4096,0)"]])
def test_all_full_is_the_model(row):
    model, ids = decoder([FULL] * 2, torch.float32), torch.randint(0, 50, (2, N))
    with torch.no_grad():
        dense = model(ids).logits
        with as_planned(model, [row] * 2):
            torch.testing.assert_close(model(ids).logits, dense, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(read(model, ids, [PROMPT]), dense, atol=1e-5, rtol=1e-5)


def test_whole_layers_keep_their_parameters():
    model = decoder([FULL, WINDOWS], torch.float32)
    before = [id(x) for x in model.layers[0].parameters()]
    with as_planned(model, [FULL, WINDOWS]):
        assert isinstance(model.layers[0].attention, PlannedAttention)
        assert sorted(id(x) for x in model.layers[0].parameters()) == sorted(before)
    assert [id(x) for x in model.layers[0].parameters()] == before


def test_restores_every_bit():
    model, ids = decoder([WINDOWS] * 2, torch.float32), torch.randint(0, 50, (1, 40))
    before, names = [id(x) for x in model.parameters()], [name for name, _ in model.named_modules()]
    kept = {name: x.clone() for name, x in model.state_dict().items()}
    with as_planned(model, [WINDOWS] * 2):
        model(ids).logits.sum().backward()
    with pytest.raises(IndexError), as_planned(model, [WINDOWS] * 2):
        model(ids, labels=ids).logits[:, 1000, 0]
    assert [id(x) for x in model.parameters()] == before
    assert [name for name, _ in model.named_modules()] == names
    assert all(torch.equal(x, kept[name]) for name, x in model.state_dict().items())


def test_gradients_flow_in_a_pass():
    choices = [["window(8,1)", "full", "drop", "window(8,1)"]]
    model, ids = decoder(choices), torch.randint(0, 50, (1, 40))
    with simulated(model, assignment(choices)):
        model(ids, labels=ids).loss.backward()
    wanted = model.embedding.weight.grad.clone()
    model.zero_grad()
    with as_planned(model, choices):
        model(ids, labels=ids).loss.backward()
    torch.testing.assert_close(model.embedding.weight.grad, wanted, atol=1e-9, rtol=1e-9)


def test_dropped_heads_are_cut_out():
    with as_planned(decoder([["drop", "full", "drop", "full"]]), [["drop", "full", "drop", "full"]]) as model:
        layer = model.layers[0].attention
        assert layer.in_proj_weight.shape == (3 * 2 * 16, 64)
        assert layer.out_proj.weight.shape == (64, 2 * 16)


def test_traces_keep_the_old_order():
    choices = [["drop", "window(8,1)", "full", "window(8,1)"]]
    model, ids = decoder(choices), torch.randint(0, 50, (2, 40))
    with torch.no_grad():
        dense = model(ids, trace=True).traces[0].weights
        with as_planned(model, choices):
            out = model(ids)
            traced = model(ids, trace=True)
    weights = traced.traces[0].weights
    torch.testing.assert_close(traced.logits, out.logits, atol=1e-9, rtol=0)
    torch.testing.assert_close(weights[:, 2], dense[:, 2], atol=1e-9, rtol=0)
    assert not weights[:, 0].any()
    assert not weights[0, 1, 39, 1:32].any()


def test_watched_sees_planned_heads():
    from heedful.manage.watch import watched

    choices, seen = [["drop", "window(8,1)", "full", "window(8,1)"]], []
    model, ids = decoder(choices), torch.randint(0, 50, (1, 40))
    with torch.no_grad(), as_planned(model, choices):
        wanted = model(ids).logits
        with watched(model, lambda each: (seen.append(each.q.shape[1]), each.attend())[1]):
            torch.testing.assert_close(model(ids).logits, wanted, atol=1e-9, rtol=0)
    assert seen == [3]


def test_short_texts_are_read_whole():
    model, ids = decoder([WINDOWS] * 2), torch.randint(0, 50, (1, 48))
    with torch.no_grad():
        dense = model(ids).logits
        with as_planned(model, [WINDOWS] * 2, dense_below=49):
            torch.testing.assert_close(model(ids).logits, dense, atol=1e-9, rtol=0)
        with as_planned(model, [WINDOWS] * 2, dense_below=48):
            assert (model(ids).logits - dense).abs().max() > 1e-3
        with as_planned(model, [WINDOWS] * 2, dense_below=None):
            found = model.layers[0].attention.crossover(torch.empty(1, 4, 48, 16))
            assert found == 0 or found & (found - 1) == 0


@pytest.mark.parametrize(
    ("fields", "choices", "said"),
    [
        ({"kv_heads": 2}, ["keynorm(16)", "full", "full", "full"], "share their keys"),
        ({}, ["full", "full", "full"], "options for 3"),
    ],
)
def test_refused(fields, choices, said):
    with pytest.raises(UsageError, match=said), as_planned(decoder([FULL], **fields), [choices]):
        pass


@pytest.mark.parametrize("options", [{"memory": 4}, {"transposed": True}, {"score": "general"}])
def test_layers_that_cannot_be_taken_apart(options):
    with (
        pytest.raises(Unsupported, match="cannot be given a plan"),
        as_planned(torch.nn.Sequential(heedful.MultiHeadAttention(16, 4, **options)), [["drop", "full", "full", "full"]]),
    ):
        pass


def test_gradients_through_a_cache_are_refused():
    model = decoder([WINDOWS])
    with as_planned(model, [WINDOWS]), pytest.raises(Unsupported, match="no_grad"):
        model(torch.randint(0, 50, (1, 4)), cache=model.new_cache())


def test_another_layers_cache_is_refused():
    model = decoder([WINDOWS, WINDOWS])
    with torch.no_grad(), as_planned(model, [WINDOWS, WINDOWS]):
        cache = model.new_cache()
        cache.blocks.reverse()
        with pytest.raises(Unsupported, match="new_cache"):
            model(torch.randint(0, 50, (1, 4)), cache=cache)
    with torch.no_grad(), pytest.raises(Unsupported, match="new_cache"):
        model(torch.randint(0, 50, (1, 4)), cache=cache)


@pytest.mark.parametrize("row", [["window(8,0)", "full", "drop", "window(12,2)"], ["streaming(36,0)", "full", "full", "window(12,2)"]])
def test_padding_through_a_cache(row):
    """A call's mask holds at every step, whatever was let go meanwhile."""
    from heedful.manage.hosts.ours import site
    from heedful.masks import Prefix

    layer = heedful.MultiHeadAttention(32, 4, position="rope", mask="causal").double().eval()
    planned = PlannedAttention(layer, site(0, "layer", layer), row)
    planned.dense_below = 0
    x, mask = torch.randn(3, 36, 32, dtype=torch.float64), ~Prefix(torch.tensor([5, 0, 11]))
    with torch.no_grad():
        whole = planned(x, mask=mask)
        for pieces in ([30], [30, 4], [20, 1, 9]):
            cache, at, outs = planned.new_cache(), 0, []
            for size in [*pieces, *[1] * (36 - sum(pieces))]:
                outs.append(planned(x[:, at : at + size], mask=mask, cache=cache))
                at += size
            torch.testing.assert_close(torch.cat(outs, dim=1)[:, 12:], whole[:, 12:], atol=1e-9, rtol=0)
