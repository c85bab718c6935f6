from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

import heedful
from heedful.errors import DataError, UsageError
from heedful.manage.objective import model_hash
from manage.made import decoder

BATCH = {"input_ids": torch.arange(40)[None] % 13}


def test_the_model_is_as_it_was() -> None:
    model = decoder(dtype=torch.float32).train()
    model.layers[0].eval()
    first = next(model.parameters())
    first.requires_grad_(False)
    modes = [module.training for module in model.modules()]
    before = model_hash(model)
    heedful.profile(model, [BATCH], options=["window(8,2)"])
    assert model_hash(model) == before
    assert [module.training for module in model.modules()] == modes
    assert [each.requires_grad for each in model.parameters()] == [False] + [True] * (len(list(model.parameters())) - 1)
    assert all(each.grad is None for each in model.parameters())


def test_it_works_where_gradients_are_off() -> None:
    model = decoder()
    expected = heedful.profile(model, [BATCH], options=["drop"]).losses["fisher"]
    with torch.no_grad():
        assert np.allclose(heedful.profile(model, [BATCH], options=["drop"]).losses["fisher"], expected)
    with torch.inference_mode():
        assert np.allclose(heedful.profile(model, [BATCH], options=["drop"]).losses["fisher"], expected)


def test_batches_that_are_gone_after_one_look_are_refused() -> None:
    with pytest.raises(UsageError, match=r"found generator, which is read only once; list\(batches\) would work"):
        heedful.profile(decoder(), (BATCH for _ in range(2)))
    with pytest.raises(UsageError, match="one batch or more"):
        heedful.profile(decoder(), [])


def test_it_says_how_far_it_is() -> None:
    seen: list[tuple[int, int]] = []
    heedful.profile(decoder(), [BATCH, BATCH], options=["drop"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    profile = heedful.profile(decoder(), [BATCH], options=["window(8,2)", "drop"], name="small")
    profile.save(tmp_path / "p.json")
    again = heedful.Profile.load(tmp_path / "p.json")
    assert (again.model, again.name, again.sites, again.options, again.batches, again.tokens, again.lengths) == (
        profile.model,
        "small",
        profile.sites,
        ("full", "window(8,2)", "drop"),
        profile.batches,
        39,
        (40,),
    )
    assert {name: table.tolist() for name, table in again.losses.items()} == {
        name: table.tolist() for name, table in profile.losses.items()
    }
    assert {name: table.tolist() for name, table in again.patterns.items()} == {
        name: table.tolist() for name, table in profile.patterns.items()
    }
    assert again.row(1, 2) == 6
    again.refuse(decoder())
    with pytest.raises(UsageError, match="`heedful profile` would work"):
        again.refuse(decoder(layers=1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held.pop("losses"), "damaged profile: KeyError"),
        (lambda held: held.update(version=2), "no profile of version 1, which this Heedful reads: found version 2"),
        (lambda held: held.update(options=["full", "widow(8,2)", "drop"]), "unknown option"),
        (lambda held: held["losses"].update(fisher=[[0.0]]), "8 heads x 3 options"),
        (lambda held: held["losses"]["fisher"][0].append(1.0), "damaged profile"),
        (lambda held: held.update(extra=1), "damaged profile: TypeError"),
        (lambda held: held.update(options=["drop", "window(8,2)", "full"]), "first option is full"),
        (lambda held: held["losses"]["fisher"].__setitem__(0, [0.0, float("nan"), 0.0]), "finite"),
        (lambda held: held["patterns"].update(entropy=[1.0]), "8 rows of finite numbers"),
        (lambda held: held.update(phase="both"), "prefill or decode"),
        (lambda held: held["sites"][0].pop("heads"), "damaged profile: TypeError"),
    ],
)
def test_damage_is_said_in_one_line(tmp_path: Path, change: object, said: str) -> None:
    path = tmp_path / "p.json"
    heedful.profile(decoder(), [BATCH], options=["window(8,2)", "drop"]).save(path)
    held = json.loads(path.read_text())
    change(held)  # type: ignore[operator]
    path.write_text(json.dumps(held))
    with pytest.raises(DataError, match=said) as caught:
        heedful.Profile.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000, '{"version": 1}'])
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(DataError, match="profile"):
        heedful.Profile.load(path)
    with pytest.raises(DataError, match="No such file"):
        heedful.Profile.load(tmp_path / "none.json")


def test_a_model_that_computes_nothing_finite_is_refused() -> None:
    model = decoder()
    with torch.no_grad():
        next(model.parameters()).fill_(torch.nan)
    with pytest.raises(UsageError, match="finite"):
        heedful.profile(model, [BATCH], options=["drop"])


def test_a_loss_that_no_attention_goes_into_is_refused() -> None:
    with pytest.raises(UsageError, match="the loss does not depend on what attention computes"):
        heedful.profile(decoder(), [BATCH], loss=lambda model, batch: model(batch["input_ids"]).logits.detach().sum())


def test_a_model_of_two_streams_has_caches_in_its_decoder_alone() -> None:
    config = T5Config(vocab_size=13, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config).eval()
    batch = {"input_ids": torch.randint(13, (2, 20)), "labels": torch.randint(13, (2, 24))}
    found = heedful.profile(model, [batch], phase="decode", options=["h2o(8)", "drop"])
    assert [(site.kind, site.causal) for site in found.sites] == [("self", False), ("self", True), ("cross", False)]
    assert found.offered[::2].tolist() == [[True, False, True], [True, True, True], [True, False, True]]
    assert found.tokens == 2 * 3
    assert (found.losses["fisher"][2:4, 1] > 0).all()
    assert (found.losses["fisher"][:, 2] > 0).all()


def test_half_precision_is_estimated_nearly_as_well() -> None:
    options = ["window(8,2)", "drop"]
    batch = {"input_ids": torch.randint(13, (2, 60))}
    exact = heedful.profile(decoder(), [batch], options=options)
    half = heedful.profile(decoder().bfloat16(), [batch], options=options)
    assert half.dtype == "bfloat16"
    for name, table in exact.losses.items():
        assert np.allclose(half.losses[name].sum(0), table.sum(0), rtol=0.1), name
