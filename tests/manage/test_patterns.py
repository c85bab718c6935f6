from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

import heedful
from heedful.manage.patterns import patterns
from heedful.manage.portrait import grid, options, portrait, records
from heedful.manage.roles import role
from heedful.manage.sample import Sample, sample
from heedful.masks import Causal, Padding
from manage.made import decoder, dense, seen_of

LENGTH = 40


def test_every_number_is_the_one_its_word_says() -> None:
    rule = Causal() & Padding(torch.tensor([LENGTH, 30]), side="left")
    seen, ids = seen_of(LENGTH, mask=rule), torch.randint(5, (2, LENGTH))
    table = rule.dense(LENGTH, LENGTH)
    _, weights = dense(seen, table)
    queries = [3, 12, 13, 30, 39]
    real = torch.ones(2, len(queries), dtype=torch.bool)
    real[1, :1] = False
    found = patterns(sample(seen, queries), real, ids)
    expected = {name: np.zeros(4) for name in found}
    expected["buckets"] = np.zeros((4, 7))
    for b in range(2):
        for i, q in enumerate(queries):
            if not real[b, i]:
                continue
            shown = [k for k in range(LENGTH) if table[b, 0, q, k]]
            for h in range(4):
                w = weights[b, h, q].numpy()
                add = {
                    "entropy": -sum(w[k] * np.log(w[k]) for k in shown),
                    "uniform": np.log(len(shown)),
                    "distance": sum(w[k] * abs(q - k) for k in shown),
                    "sinks": w[:4].sum(),
                    "first": w[shown[0]],
                    "last": w[shown[-1]],
                    "self": w[q],
                    "previous": w[q - 1],
                    "next": w[q + 1] if q + 1 < LENGTH else 0.0,
                    "near": w.sum(),
                    "induction": sum(w[k] for k in range(1, q + 1) if ids[b, k - 1] == ids[b, q]),
                    "repeated": sum(1 for k in shown if k > 0 and k <= q and ids[b, k - 1] == ids[b, q]) / len(shown),
                }
                for name, value in add.items():
                    expected[name][h] += value
                for k in shown:
                    expected["buckets"][h, 0 if k == q else 1 + int(np.log2(abs(q - k)))] += w[k]
    for name, value in found.items():
        np.testing.assert_allclose(value.numpy(), expected[name], rtol=1e-6, atol=1e-9, err_msg=name)


def made(weigh: Callable[[int, int], float], ids: Tensor | None = None) -> dict[str, float]:
    """The patterns of one head whose weights, before they are made to sum to one, a function of query and key gives."""
    table = torch.tensor([[weigh(q, k) if k <= q else 0.0 for k in range(LENGTH)] for q in range(LENGTH)], dtype=torch.float64)
    weights = (table / table.sum(-1, keepdim=True))[None, None]
    at = torch.arange(LENGTH)
    looked = Sample(at, at, weights, Causal().dense(LENGTH, LENGTH))
    found = patterns(looked, torch.ones(1, LENGTH, dtype=torch.bool), ids)
    return {name: float(value[0]) / LENGTH for name, value in found.items() if value.dim() == 1}


REPEATED = torch.arange(LENGTH)[None] % 9


@pytest.mark.parametrize(
    ("weigh", "name", "number"),
    [
        (lambda q, k: 1.0 if k == q - 1 else 0.01, "previous token", ".8"),
        (lambda q, k: 1.0 if k == q else 0.001, "own token", ".9"),
        (lambda q, k: 1.0 if k == 0 else 0.005, "first token", ".9"),
        (lambda q, k: 1.0 if k < 4 else 0.01, "sinks", ".9"),
        (lambda q, k: 1.0, "even", "1.00"),
        (lambda q, k: 1.0 if k % 9 == (q + 1) % 9 and k < q else 0.001, "induction", ".7"),
        (lambda q, k: 0.7 ** (q - k), "local", "1.00"),
    ],
)
def test_a_head_is_named_after_what_takes_its_weight(weigh: Callable[[int, int], float], name: str, number: str) -> None:
    found = role(made(weigh, REPEATED))
    assert found.name == name
    assert number in found.evidence


def test_induction_by_chance_is_none() -> None:
    assert role(made(lambda q, k: 1.0 + 0.3 * ((q * 7 + k * 3) % 5), torch.zeros(1, LENGTH, dtype=torch.long))).name != "induction"


def test_a_head_that_looks_everywhere_far_is_mixed() -> None:
    assert (
        role({"entropy": 2.0, "uniform": 7.0, "near": 0.2, "distance": 900.0}).evidence
        == ".20 within 64 tokens, 900 tokens away on average"
    )


def test_a_portrait_has_every_head_and_its_least_option() -> None:
    profile = heedful.profile(decoder(), [{"input_ids": torch.randint(13, (1, LENGTH))}], options=["window(8,2)", "drop"])
    heads = portrait(profile)
    assert [(head.site, head.head) for head in heads] == [(site, head) for site in range(2) for head in range(4)]
    cheap = profile.losses["fisher"].copy()
    cheap[0] = [0.0, 1e-9, 1.0]
    cheap[1] = [0.0, 1.0, 1e-9]
    cheap[2] = [0.0, 1.0, 1.0]
    changed = replace(profile, losses={**profile.losses, "fisher": cheap})
    assert [head.least for head in portrait(changed)[:3]] == ["window(8,2)", "drop", "full"]
    assert len(records(changed)) == 8
    assert records(changed)[0]["losses"]["fisher"]["drop"] == 1.0
    text = changed.table(100)
    assert "w8" in text
    assert "window(8,2)" in text
    assert grid(changed).row_count == 2
    assert options(changed).row_count == 3
    assert max(map(len, text.splitlines())) <= 100


def test_more_heads_than_fit_beside_each_other_go_below() -> None:
    model = decoder(heads=16, kv_heads=16, head_dim=2)
    profile = heedful.profile(model, [{"input_ids": torch.randint(13, (1, LENGTH))}], options=["drop"])
    assert grid(profile).row_count == 4


def test_costs_are_measured_where_they_are_asked_for(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_CACHE", str(tmp_path))
    profile = heedful.profile(
        decoder(dtype=torch.float32), [{"input_ids": torch.randint(13, (1, 64))}], options=["window(8,2)", "drop"], costs=True
    )
    rows = {row["option"]: row for row in profile.costs["prices"]}
    assert set(rows) == {"full", "window(8,2)", "drop"}
    assert rows["drop"]["head"] == rows["drop"]["bytes"] == 0
    assert rows["window(8,2)"]["bytes"] < rows["full"]["bytes"]
