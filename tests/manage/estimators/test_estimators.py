"""Every estimator against its formula, written out over the whole matrix in float64 with autograd's gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import heedful
from heedful.manage.estimators.exact import exact, scored
from heedful.manage.estimators.table import ESTIMATORS
from heedful.manage.objective import token_losses
from heedful.manage.options.table import default_options, parse
from heedful.manage.sample import runs, sample, spread
from heedful.manage.seen import Seen
from heedful.manage.simulate import simulated
from heedful.manage.support import support
from heedful.manage.watch import watched
from heedful.masks import Causal, Padding
from manage.made import decoder, dense, seen_of

LENGTH = 48


def brute(model: nn.Module, batch: dict[str, Tensor], name: str, site: int, prefill: int | None) -> dict[str, Tensor]:
    """Each estimator's number for every head of a site, from whole matrices."""
    calls: list[tuple[Seen, Tensor]] = []

    def handler(seen: Seen) -> Tensor:
        out = seen.attend()
        calls.append((seen, out))
        return out

    with watched(model, handler):
        losses = token_losses(model, batch)
        grads = torch.autograd.grad(losses.total, [out for _, out in calls])
    seen, _ = calls[site]
    g = grads[site]
    full = Causal().dense(LENGTH, LENGTH)
    option = parse(name)
    rule = support(seen, option, prefill)
    table = torch.zeros_like(full) if option.drops else full if rule is None else full & rule.over(*seen.q.shape[:2]).dense(LENGTH, LENGTH)
    out, weights = dense(seen, full)
    changed, _ = dense(seen, table)
    counted = slice(0 if prefill is None else prefill, LENGTH)
    real = (g != 0).flatten(3).any(-1).any(1)[:, None, :, None]
    real[:, :, : counted.start] = False
    delta = (changed - out) * real
    dropped = (weights * ~table).sum(-1) * real[..., 0]
    slopes = g @ seen.v.repeat_interleave(seen.q.shape[1] // seen.k.shape[1], 1).mT
    effect = (weights * (slopes - (weights * slopes).sum(-1, keepdim=True)) / (1 - weights).clamp(min=1e-4)).abs()
    tokens = int(losses.counts[:, counted].sum())
    found = {
        "fisher": 0.5 * (g * delta).sum(-1).square().sum((0, 2)),
        "output_error": delta.square().sum((0, 2, 3)),
        "dropped_mass": dropped.sum((0, 2)),
        "effect": (effect * ~table * real).sum((0, 2, 3)),
        "michel": ((g * out).sum(-1).abs() * dropped).sum((0, 2)),
    }
    return {key: value.detach() / tokens for key, value in found.items()}


@pytest.mark.parametrize("phase", ["prefill", "decode"])
@pytest.mark.parametrize("kv_heads", [1, 4])
def test_a_profile_holds_what_the_formulas_say(phase: str, kv_heads: int) -> None:
    model = decoder(kv_heads=kv_heads)
    batch = {"input_ids": torch.randint(13, (2, LENGTH))}
    prefill = None if phase == "prefill" else 36
    options = [*default_options(LENGTH, phase), parse("blocks(16,2)"), parse("window(6,1)")]  # type: ignore[arg-type]
    found = heedful.profile(model, [batch], phase=phase, prefill=prefill, options=options)  # type: ignore[arg-type]
    assert found.tokens == 2 * (LENGTH - 1 - (prefill or 0))
    for column, name in enumerate(found.options):
        for site in range(2):
            expected = brute(model, batch, name, site, prefill)
            for row in ESTIMATORS:
                close = torch.from_numpy(found.losses[row.name][4 * site : 4 * site + 4, column])
                torch.testing.assert_close(close, expected[row.name], rtol=1e-7, atol=1e-12, msg=lambda text: f"{row.name} {name} {text}")  # noqa: B023


def test_two_batches_are_the_mean_of_each_by_their_tokens() -> None:
    model = decoder()
    one, other = ({"input_ids": torch.randint(13, (b, LENGTH))} for b in (1, 2))
    alone = [heedful.profile(model, [batch], options=["window(8,2)"]) for batch in (one, other)]
    both = heedful.profile(model, [one, other], options=["window(8,2)"])
    for row in ESTIMATORS:
        expected = (alone[0].losses[row.name] + 2 * alone[1].losses[row.name]) / 3
        torch.testing.assert_close(torch.from_numpy(both.losses[row.name]), torch.from_numpy(expected), rtol=1e-9, atol=0)


def test_padding_weighs_nothing() -> None:
    model = decoder()
    ids = torch.randint(13, (1, 30))
    alone = heedful.profile(model, [{"input_ids": ids}], options=["window(8,2)", "drop"])
    padded = torch.cat([ids, torch.zeros(1, 12, dtype=torch.long)], dim=1)
    mask = (torch.arange(42) < 30)[None].long()
    beside = heedful.profile(model, [{"input_ids": padded, "attention_mask": mask}], options=["window(8,2)", "drop"])
    for row in ESTIMATORS:
        torch.testing.assert_close(
            torch.from_numpy(beside.losses[row.name]), torch.from_numpy(alone.losses[row.name]), rtol=1e-6, atol=1e-12
        )


def test_one_loss_for_a_sequence_is_one_change() -> None:
    model = decoder()
    batch = {"input_ids": torch.randint(13, (3, 20))}

    def last(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return model(batch["input_ids"]).logits[:, -1].square().sum(-1)

    found = heedful.profile(model, [batch], loss=last, options=["drop"])  # type: ignore[arg-type]
    assert found.tokens == 3
    kept: list[Tensor] = []

    def handler(seen: Seen) -> Tensor:
        out: Tensor = seen.attend()
        kept.append(out)
        return out

    with watched(model, handler):
        grads = torch.autograd.grad(last(model, batch).sum(), kept)
    change = -(grads[1] * kept[1]).sum((2, 3))
    torch.testing.assert_close(torch.from_numpy(found.losses["fisher"][4:, 1]), (0.5 * change.square()).mean(0).detach())


@pytest.mark.parametrize(
    "mask", [None, Causal() & Padding(torch.tensor([LENGTH, 30]), side="left"), Causal() & Padding(torch.tensor([LENGTH, 30]))]
)
def test_sampled_weights_are_rows_of_the_matrix(mask: object) -> None:
    seen = seen_of(LENGTH, mask=mask)  # type: ignore[arg-type]
    rule = seen.mask
    assert rule is not None
    _, weights = dense(seen, rule.dense(LENGTH, LENGTH))
    queries = [0, 1, 2, 17, 40, 41, 47]
    found = sample(seen, queries)
    torch.testing.assert_close(found.weights.double(), weights[:, :, queries], rtol=1e-5, atol=1e-6)
    hidden = found.hidden(parse("window(5,1)").mask())
    assert torch.equal(hidden[0, 0], ~parse("window(5,1)").mask().dense(LENGTH, LENGTH)[0, 0, queries])  # type: ignore[union-attr]


def test_sampled_weights_have_biases_of_places() -> None:
    seen = seen_of(LENGTH)
    queries = [0, 9, 10, 47]
    for options in (
        {"position": "alibi"},
        {"bias": torch.randn(1, 4, LENGTH, LENGTH, dtype=torch.float64)},
        {"sink_logits": torch.randn(4, dtype=torch.float64)},
    ):
        biased = replace(seen, options={**seen.options, **options})
        _, weights = biased.attend(return_weights=True)
        torch.testing.assert_close(sample(biased, queries).weights, weights[:, :, queries])


def test_samples_are_spread_over_the_whole_and_include_the_end() -> None:
    assert runs(spread(100, 1000, 48)) == [(384, 400), (684, 700), (984, 1000)]


def test_exact_is_the_model_run_with_one_option() -> None:
    model, ids = decoder(), torch.randint(13, (2, 20))
    options = [parse("full"), parse("window(4,1)"), parse("drop")]
    found = exact(model, [{"input_ids": ids}], options, heads=[(0, 1), (1, 3)])
    assert found.kl.shape == found.nll.shape == (2, 3)
    assert (found.kl[:, 0] == 0).all()
    with torch.no_grad():
        before = model(ids).logits[:, :-1].log_softmax(-1)
        with simulated(model, {(1, 3): parse("window(4,1)")}):
            after = model(ids).logits[:, :-1].log_softmax(-1)
    kl = (before.exp() * (before - after)).sum(-1).mean()
    nll = (before - after).gather(2, ids[:, 1:, None]).mean()
    assert found.kl[1, 1] == pytest.approx(float(kl))
    assert found.nll[1, 1] == pytest.approx(float(nll), rel=1e-4, abs=1e-7)


def test_exact_counts_the_steps_alone() -> None:
    model, ids = decoder(), torch.randint(13, (2, 20))
    batch = {"input_ids": ids}
    found = exact(model, [batch], [parse("h2o(4)")], heads=[(0, 0)], prefill=12)
    whole, other = scored(model, batch, {}, None, 12), scored(model, batch, {(0, 0): parse("h2o(4)")}, None, 12)
    assert found.nll[0, 0] == pytest.approx(float((other.nll - whole.nll)[:, 12:-1].mean()), rel=1e-4, abs=1e-7)
