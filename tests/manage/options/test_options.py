from __future__ import annotations

from dataclasses import astuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.manage.options.blocks import Blocks
from heedful.manage.options.option import Option
from heedful.manage.options.table import OPTIONS, default_options, parse
from heedful.manage.options.window import Window
from heedful.masks import Causal, Dense, Padding
from manage.made import allowed_by_hand, dense, seen_of

LENGTH = 40
COUNTS = {"full": 0, "drop": 0, "window": 2, "blocks": 2, "streaming": 2, "keynorm": 1, "h2o": 1, "snapkv": 1}
SOME = [*default_options(LENGTH), *default_options(LENGTH, "decode"), Blocks(7, 2), Window(1, 0), Window(100, 4)]


@given(st.sampled_from(OPTIONS), st.tuples(st.integers(1, 10**6), st.integers(0, 10**4)))
def test_a_name_is_read_back_as_the_option(kind: type[Option], numbers: tuple[int, int]) -> None:
    option = kind(*numbers[: COUNTS[kind.word]])
    assert parse(option.name) == option
    assert parse(f" {option.name.replace(',', ' , ')} ") == option


@given(st.text(max_size=30))
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    try:
        option = parse(text)
    except UsageError as error:
        assert "\n" not in str(error) or "\n" in text  # noqa: PT017
    else:
        assert parse(option.name) == option


@pytest.mark.parametrize(
    "name", ["window", "window(1,2,3)", "full(1)", "window(0,4)", "window(-1)", "h2o(x)", "drop()x", "streaming(0)", ""]
)
def test_what_is_no_option_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"would work|or more|did you mean"):
        parse(name)


@pytest.mark.parametrize("option", SOME, ids=str)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("length", [1, 5, LENGTH])
def test_the_pairs_are_counted_exactly(option: Option, causal: bool, length: int) -> None:
    rule = option.mask(causal)
    table = torch.ones(length, length, dtype=torch.bool) if rule is None else rule.dense(length, length)[0, 0]
    table = table & Causal().dense(length, length)[0, 0] if causal else table
    assert option.attended(length, causal) == (0 if option.drops else int(table.sum()))


@pytest.mark.parametrize("option", [option for option in SOME if option.mask() is not None], ids=str)
def test_masks_say_what_their_words_do(option: Option) -> None:
    rule = option.mask()
    assert rule is not None
    table = (rule & Causal()).dense(LENGTH, LENGTH)[0, 0]
    numbers = astuple(option)
    by_hand = [[k <= q and allowed_by_hand(option.word, numbers, q, k) for k in range(LENGTH)] for q in range(LENGTH)]
    assert table.tolist() == by_hand


@pytest.mark.parametrize("option", SOME, ids=str)
@pytest.mark.parametrize("length", [LENGTH, 25, 3])
def test_a_cache_holds_as_many_keys_as_it_says(option: Option, length: int) -> None:
    kept = option.keep(seen_of(LENGTH), length)
    if kept is None:
        assert option.kept(length) == (0 if option.drops else length)
        return
    assert kept.shape == (2, 2, option.kept(length))
    assert bool((kept[..., 1:] > kept[..., :-1]).all())
    assert int(kept.min()) >= 0
    assert int(kept.max()) < length


def test_a_ring_keeps_the_first_and_the_last() -> None:
    for name in ("streaming(6,2)", "window(6,2)"):
        kept = parse(name).keep(seen_of(), 30)
        assert kept is not None
        assert kept[1, 1].tolist() == [0, 1, 24, 25, 26, 27, 28, 29]


def test_keys_are_ranked_as_the_papers_say() -> None:
    seen, length, size = seen_of(), 30, 8
    causal = Causal().dense(LENGTH, LENGTH)
    _, weights = dense(seen, causal)
    norms = seen.k[:, :, :length].norm(dim=-1)
    expected = {
        "keynorm(8)": (-norms, 0),
        "h2o(8)": (weights[:, :, :length, :length].sum(2).unflatten(1, (2, 2)).sum(2), 4),
        "snapkv(8)": (pooled(weights[:, :, length - 4 : length, :length].mean(2).unflatten(1, (2, 2)).mean(2)), 4),
    }
    for name, (ranks, recent) in expected.items():
        kept = parse(name).keep(seen, length)
        assert kept is not None
        for b in range(2):
            for g in range(2):
                last = set(range(length - recent, length))
                others = sorted(set(range(length)) - last, key=lambda k, b=b, g=g, ranks=ranks: -float(ranks[b, g, k]))  # type: ignore[misc]
                assert kept[b, g].tolist() == sorted(last | set(others[: size - recent])), name


def pooled(x: torch.Tensor) -> torch.Tensor:
    """Means of five places, with zeros beyond the ends."""
    padded = torch.nn.functional.pad(x, (2, 2))
    return torch.stack([padded[..., i : i + x.shape[-1]] for i in range(5)]).mean(0)


@pytest.mark.parametrize("name", ["streaming(6,2)", "keynorm(8)", "h2o(8)", "snapkv(8)", "window(6,2)"])
def test_padding_is_never_kept_before_what_is_real(name: str) -> None:
    mask = Causal() & Padding(torch.tensor([LENGTH, LENGTH - 12]), side="left")
    kept = parse(name).keep(seen_of(mask=mask), LENGTH)
    assert kept is not None
    assert int(kept[1].min()) >= 12
    if "keynorm" not in name and "h2o" not in name and "snapkv" not in name:
        assert kept[1, 0].tolist() == [12, 13, *range(34, 40)]


def test_a_table_of_booleans_is_read_as_a_mask_too() -> None:
    rule = Causal() & Padding(torch.tensor([LENGTH, LENGTH - 12]), side="left")
    table = Dense(rule.dense(LENGTH, LENGTH))
    seen = seen_of(mask=rule)
    same = type(seen)(seen.site, seen.q, seen.k, seen.v, {"mask": table})
    for name in ("h2o(8)", "snapkv(8)", "streaming(4,2)"):
        one, other = parse(name).keep(seen, 33), parse(name).keep(same, 33)
        assert one is not None
        assert other is not None
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("length", [2, 10, 64, 1000, 8192, 100_000])
@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_the_ladder_starts_with_everything_and_ends_with_nothing(length: int, phase: str) -> None:
    options = default_options(length, phase)  # type: ignore[arg-type]
    assert [options[0].name, options[-1].name] == ["full", "drop"]
    assert len(set(options)) == len(options)
    assert all(phase in option.phases for option in options[1:])
    costs = [option.attended(length) if phase == "prefill" else option.kept(length) for option in options]
    assert costs == sorted(costs, reverse=True)


def test_a_ladder_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="2 tokens or more"):
        default_options(1)
    with pytest.raises(UsageError, match="unknown phase"):
        default_options(100, "both")  # type: ignore[arg-type]
