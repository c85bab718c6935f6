"""The ragged cache does what caches do: counts its bytes, is cut short, reordered, emptied, and grows."""

from __future__ import annotations

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.manage.options.table import parse
from heedful.manage.simulate import simulated
from manage.apply.models import as_planned, assignment, decoder, read

MIXED = ["keynorm(16)", "window(16,2)", "full", "streaming(12,4)"]


def keys(cache):
    return cache.blocks[0].keys


@pytest.mark.parametrize("length", [10, 64, 200])
def test_bytes_are_what_the_options_keep(length):
    model, ids = decoder([MIXED], torch.float32), torch.randint(0, 50, (3, length))
    with torch.no_grad(), as_planned(model, [MIXED]):
        cache = model.new_cache()
        model(ids, cache=cache)
        kept = sum(parse(name).kept(length) for name in MIXED)
        assert keys(cache).bytes == 3 * kept * 2 * 16 * 4
        assert keys(cache).bytes <= keys(cache).allocated <= keys(cache).bytes + 3 * len(MIXED) * 64 * 2 * 16 * 4


def test_grows_past_its_first_room():
    model, ids = decoder([MIXED]), torch.randint(0, 50, (1, 240))
    with torch.no_grad():
        with simulated(model, assignment([MIXED]), prefill=60):
            steps = model(ids).logits
        with as_planned(model, [MIXED]):
            torch.testing.assert_close(read(model, ids, [60]), steps, atol=1e-9, rtol=0)


def test_crop_is_as_if_it_had_never_come():
    model, ids = decoder([MIXED]), torch.randint(0, 50, (1, 60))
    with torch.no_grad(), as_planned(model, [MIXED]):
        wanted = read(model, ids, [40])
        cache = model.new_cache()
        model(ids[:, :40], cache=cache)
        for block in cache.blocks:
            block.crop(40)
        step = model(ids[:, 40:41], cache=cache).logits
        torch.testing.assert_close(step, wanted[:, 40:41], atol=1e-9, rtol=0)
        with pytest.raises(UsageError, match=r"crop\(39\)"):
            keys(cache).crop(39)
        with pytest.raises(UsageError, match=r"crop\(42\)"):
            keys(cache).crop(42)
        keys(cache).crop(0)
        assert keys(cache).length == 0
        assert keys(cache).bytes == 0


def test_crop_of_full_heads_goes_back():
    row = ["full", "drop", "full", "window(64,0)"]
    model, ids = decoder([row]), torch.randint(0, 50, (1, 60))
    with torch.no_grad(), as_planned(model, [row]):
        wanted, cache = read(model, ids, [30]), model.new_cache()
        model(ids[:, :50], cache=cache)
        cache.blocks[0].crop(30)
        again = torch.cat([model(ids[:, t : t + 1], cache=cache).logits for t in range(30, 60)], dim=1)
    torch.testing.assert_close(again, wanted[:, 30:], atol=1e-9, rtol=0)


def test_reorder_continues_other_rows():
    model, ids = decoder([MIXED]), torch.randint(0, 50, (3, 60))
    index = torch.tensor([2, 0, 0, 1])
    with torch.no_grad(), as_planned(model, [MIXED]):
        wanted, cache = read(model, ids[index], [40]), model.new_cache()
        model(ids[:, :40], cache=cache)
        cache.reorder(index)
        steps = torch.cat([model(ids[index][:, t : t + 1], cache=cache).logits for t in range(40, 60)], dim=1)
    torch.testing.assert_close(steps, wanted[:, 40:], atol=1e-9, rtol=0)


def test_reset_begins_anew():
    model, ids = decoder([MIXED]), torch.randint(0, 50, (1, 60))
    with torch.no_grad(), as_planned(model, [MIXED]):
        wanted, cache = read(model, ids, [40]), model.new_cache()
        model(torch.randint(0, 50, (2, 30)), cache=cache)
        cache.reset()
        first = model(ids[:, :40], cache=cache).logits
    torch.testing.assert_close(first, wanted[:, :40], atol=1e-9, rtol=0)


@pytest.mark.parametrize("row", [["full", "full", "window(16,2)", "drop"], ["window(8,1)"] * 4])
def test_a_callers_window_narrows_it(row):
    """A cache of the latest 24 tokens: every head sees no more, the plan's pinned tokens excepted."""
    narrow = [{"full": "window(24,2)"}.get(name, name) for name in row]
    model, ids = decoder([row]), torch.randint(0, 50, (1, 60))
    with torch.no_grad():
        with as_planned(model, [narrow]):
            wanted = read(model, ids, [40])
        with as_planned(model, [row]):
            torch.testing.assert_close(read(model, ids, [40], window=24, sinks=2), wanted, atol=1e-9, rtol=0)


def test_inference_mode_and_back():
    model, ids = decoder([MIXED]), torch.randint(0, 50, (1, 60))
    with as_planned(model, [MIXED]):
        with torch.no_grad():
            wanted = read(model, ids, [40])
        cache = model.new_cache()
        with torch.inference_mode():
            model(ids[:, :40], cache=cache)
        with torch.no_grad():
            steps = [model(ids[:, 40:43], cache=cache).logits]
            steps += [model(ids[:, t : t + 1], cache=cache).logits for t in range(43, 60)]
    torch.testing.assert_close(torch.cat(steps, dim=1), wanted[:, 40:], atol=1e-9, rtol=0)


def test_heavy_hitters_are_found_in_the_pass_itself(monkeypatch):
    """No second pass: what a call's keys drew is taken from the first."""
    from heedful.manage import seen

    row = ["h2o(16)", "full", "h2o(16)", "window(8,1)"]
    model, ids = decoder([row]), torch.randint(0, 50, (2, 60))
    with torch.no_grad():
        with simulated(model, assignment([row]), prefill=40):
            wanted = model(ids).logits
        with as_planned(model, [row]):
            monkeypatch.setattr(seen, "attend", None)
            torch.testing.assert_close(read(model, ids, [40]), wanted, atol=1e-9, rtol=0)


@pytest.mark.parametrize("tokens", [1, 3])
@pytest.mark.parametrize("change", ["batch", "type"])
def test_another_batch_or_type_is_refused(change, tokens):
    model, ids = decoder([MIXED]), torch.randint(0, 50, (2, 40))
    with torch.no_grad(), as_planned(model, [MIXED]):
        cache = model.new_cache()
        model(ids, cache=cache)
        more = torch.randint(0, 50, (5 if change == "batch" else 2, tokens))
        if change == "type":
            model.float()
        with pytest.raises(ShapeError, match="the cache holds batch 2"):
            model(more, cache=cache)
