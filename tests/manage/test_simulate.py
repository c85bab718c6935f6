from __future__ import annotations

import pytest
import torch
from torch import Tensor

from heedful.errors import Unsupported, UsageError
from heedful.manage.options.table import default_options, parse
from heedful.manage.simulate import mixed, simulated
from heedful.manage.site import Site
from heedful.masks import Causal, Dense, Mask, Padding
from manage.made import decoder, dense, seen_of

NAMES = ["full", "window(5,2)", "drop", "h2o(8)", "streaming(6,2)", "keynorm(8)", "snapkv(8)", "blocks(7,1)"]
LENGTH, PREFILL = 40, 30


def by_hand(name: str, kept: Tensor | None, prefill: int | None) -> Tensor:
    """(b, g, q, k) or (1, 1, q, k): where a head with this option may look."""
    rows = Causal().dense(LENGTH, LENGTH)
    rule = parse(name).mask()
    if rule is not None:
        return rows & rule.dense(LENGTH, LENGTH)
    if prefill is None or kept is None:
        return rows
    table = rows.expand(2, 2, LENGTH, LENGTH).clone()
    for q in range(prefill, LENGTH):
        for b in range(2):
            for g in range(2):
                if name.startswith("streaming"):
                    table[b, g, q] = torch.tensor([k <= q and (k > q - 6 or k < 2) for k in range(LENGTH)])
                else:
                    held = set(kept[b, g].tolist())
                    table[b, g, q] = torch.tensor([k <= q and (k >= prefill or k in held) for k in range(LENGTH)])
    return table


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prefill", [None, PREFILL])
def test_one_option_is_attention_under_its_mask(name: str, prefill: int | None) -> None:
    seen, option = seen_of(LENGTH), parse(name)
    table = by_hand(name, None if prefill is None else option.keep(seen, prefill), prefill)
    table = table.repeat_interleave(2, 1) if table.shape[1] == 2 else table
    expected = torch.zeros(2, 4, LENGTH, 6, dtype=torch.float64) if option.drops else dense(seen, table)[0]
    torch.testing.assert_close(mixed(seen, [option] * 4, prefill), expected)


@pytest.mark.parametrize("prefill", [None, PREFILL])
def test_heads_that_differ_are_each_as_if_alone(prefill: int | None) -> None:
    seen = seen_of(LENGTH)
    for names in (["window(5,2)", "drop", "h2o(8)", "full"], ["snapkv(8)", "window(5,2)", "snapkv(8)", "window(5,2)"]):
        options = [parse(name) for name in names]
        together = mixed(seen, options, prefill)
        for head, option in enumerate(options):
            torch.testing.assert_close(together[:, head], mixed(seen, [option] * 4, prefill)[:, head])


def test_a_model_with_everything_full_is_the_model() -> None:
    model, ids = decoder(), torch.randint(13, (2, 20))
    assignment = {(site, head): parse("full") for site in range(2) for head in range(4)}
    with torch.no_grad():
        before = model(ids).logits
        with simulated(model, assignment, prefill=10):
            torch.testing.assert_close(model(ids).logits, before)
        assert torch.equal(model(ids).logits, before)


def test_options_that_evict_change_nothing_without_a_prefill_and_only_what_follows_one() -> None:
    model, ids = decoder(), torch.randint(13, (2, 20))
    assignment = {(site, head): parse("h2o(4)") for site in range(2) for head in range(4)}
    with torch.no_grad():
        before = model(ids).logits
        with simulated(model, assignment):
            torch.testing.assert_close(model(ids).logits, before)
        with simulated(model, assignment, prefill=12):
            after = model(ids).logits
    torch.testing.assert_close(after[:, :12], before[:, :12])
    assert not torch.allclose(after[:, 12:], before[:, 12:])


def test_it_is_undone_when_something_fails() -> None:
    model, ids = decoder(), torch.randint(13, (2, 20))
    with torch.no_grad():
        before = model(ids).logits
        with pytest.raises(RuntimeError, match="on purpose"), simulated(model, {(0, 0): parse("drop")}):
            raise RuntimeError("on purpose")
        assert torch.equal(model(ids).logits, before)


@pytest.mark.parametrize("option", [option for option in default_options(20) if option.word != "full"], ids=str)
def test_gradients_go_through_it(option: object) -> None:
    seen = seen_of(20)
    for x in (seen.q, seen.k, seen.v):
        x.requires_grad_()
    mixed(seen, [option, parse("full"), option, option]).square().sum().backward()  # type: ignore[list-item]
    assert all(x.grad is not None and bool(x.grad.isfinite().all()) for x in (seen.q, seen.k, seen.v))


def test_heads_that_are_not_there_are_refused() -> None:
    with (
        pytest.raises(UsageError, match="no head 4 at site 1: the model has 2 sites, of 4 heads"),
        simulated(decoder(), {(1, 4): parse("drop")}),
    ):
        pass


def test_rules_of_distance_are_refused_between_two_streams() -> None:
    seen = seen_of(LENGTH, causal=False)
    crossing = type(seen)(Site(0, "cross", 4, 2, 8, 6, causal=False, kind="cross"), seen.q, seen.k[:, :, :7], seen.v[:, :, :7], {})
    assert mixed(crossing, [parse("full"), parse("drop"), parse("full"), parse("full")]).shape == (2, 4, LENGTH, 6)
    with pytest.raises(Unsupported, match=r"window\(5,2\) at cross: .* full and drop would work"):
        mixed(crossing, [parse("window(5,2)")] * 4)


def test_a_layer_that_looks_ahead_has_windows_and_no_cache() -> None:
    seen = seen_of(LENGTH, causal=False)
    out = mixed(seen, [parse("window(5,0)")] * 4)
    allowed = torch.tensor([[abs(q - k) <= 2 for k in range(LENGTH)] for q in range(LENGTH)])
    torch.testing.assert_close(out, dense(seen, allowed)[0])
    with pytest.raises(Unsupported, match="a layer that looks ahead has no cache"):
        mixed(seen, [parse("h2o(4)")] * 4, prefill=30)


@pytest.mark.parametrize("told", ["rule", "table of keys", "table"])
def test_padding_holds_under_every_option(told: str) -> None:
    padding = Padding(torch.tensor([LENGTH, LENGTH - 12]), side="left")
    mask: Mask = Causal() & padding
    if told == "table of keys":
        mask = Causal() & Dense(padding.dense(LENGTH, LENGTH))
    if told == "table":
        mask = Dense(mask.dense(LENGTH, LENGTH))
    seen = seen_of(LENGTH, mask=mask)
    for name in NAMES:
        out = mixed(seen, [parse(name)] * 4, prefill=PREFILL)
        assert bool((out[1, :, :12] == 0).all()), name
        short = type(seen)(seen.site, seen.q[1:, :, 12:], seen.k[1:, :, 12:], seen.v[1:, :, 12:], {"mask": Causal()})
        torch.testing.assert_close(out[1:, :, 12:], mixed(short, [parse(name)] * 4, prefill=PREFILL - 12), msg=name)
