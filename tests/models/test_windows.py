"""Texts longer than a model reads at once: every token is in a window, and a text's scores are the mean of its windows'."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import ShapeError
from heedful.models.classifiers import build_classifier
from heedful.models.windows import spread, windows_of
from heedful.spec import BiLSTMSpec, EncoderSpec

ENCODER = EncoderSpec(vocabulary=23, labels=("no", "yes"), context=8, width=16, layers=1, heads=2)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 12))
def test_every_token_is_in_a_window_and_none_is_made_up(lengths: list[int], context: int) -> None:
    ids = torch.arange(len(lengths) * 40).view(len(lengths), 40)
    found = windows_of(ids, torch.tensor(lengths), context)
    for row, length in enumerate(lengths):
        seen = {
            int(token)
            for window, held in zip(found.ids[found.owners == row], found.lengths[found.owners == row], strict=True)
            for token in window[:held]
        }
        assert seen == set(ids[row, :length].tolist())
    assert int(found.lengths.min()) >= 1


@pytest.mark.parametrize("spec", [ENCODER, BiLSTMSpec(vocabulary=23, labels=("no", "yes"), context=8, embedding=8, hidden=4)])
def test_the_scores_of_a_long_text_are_the_mean_of_its_windows(spec: EncoderSpec | BiLSTMSpec) -> None:
    model = build_classifier(spec).eval()
    ids = torch.randint(1, 23, (2, 20))
    with pytest.raises(ShapeError, match="more than the 8"):
        model(ids)
    model.windowed = True
    out = model(ids, lengths=torch.tensor([20, 5]))
    starts = (0, 6, 12)
    alone = torch.stack([model(ids[:1, start : start + 8]).logits for start in starts]).mean(0)
    torch.testing.assert_close(out.logits[:1], alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.logits[1:], model(ids[1:, :5]).logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.pooled.sum(1), torch.ones(2))


def test_what_windows_say_of_places_meets_where_they_overlap() -> None:
    found = windows_of(torch.arange(7)[None], torch.tensor([7]), 4)
    values = torch.tensor([[1.0, 1, 1, 1], [1, 1, 1, 1]])
    assert spread(values, found, 1, 7).tolist() == [[0.5, 0.5, 0.5, 1.0, 0.5, 0.5, 0.5]]


def test_a_banded_encoder_reads_a_long_text_in_one_piece() -> None:
    from heedful.spec import AttentionSpec, MechanismSpec

    band = AttentionSpec(mask=(MechanismSpec("window", {"size": 8, "ahead": 8}),))
    model = build_classifier(
        EncoderSpec(vocabulary=23, labels=("no", "yes"), context=3000, width=16, layers=2, heads=2, attention=band)
    ).eval()
    ids = torch.randint(1, 23, (1, 2500))
    changed = ids.clone()
    changed[0, -1] = (ids[0, -1] + 1) % 23
    assert not torch.equal(model(ids).logits, model(changed).logits)  # the last token of 2,500 counts
