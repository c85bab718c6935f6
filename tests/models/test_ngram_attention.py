"""Attention over runs of words: it starts as Naive Bayes, counts each run once, and says what each run adds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from heedful.errors import ShapeError
from heedful.models.ngram_attention import SCALE, NgramAttention
from heedful.spec import BiLSTMSpec, NgramSpec, TextCNNSpec
from heedful.spec.check import SpecError

SPEC = NgramSpec(vocabulary=6, labels=("no", "yes"), context=12, width=4)
TEXTS = [([0, 1, 1], 0), ([1, 2], 1), ([0, 3], 0), ([2, 4, 2], 1), ([5, 0], 1)]
TOKENS = torch.tensor([token for text, _ in TEXTS for token in text])
LENGTHS = torch.tensor([len(text) for text, _ in TEXTS])
LABELS = torch.tensor([label for _, label in TEXTS])


def begun(spec: NgramSpec) -> NgramAttention:
    model = NgramAttention(spec)
    model.begin(TOKENS, LENGTHS, LABELS, [True] * 6)
    return model.eval()


def ratio(token: int, label: int) -> float:
    """Wang & Manning's r for one class against the others, counted by hand."""

    def share(mine: bool) -> float:
        texts = [set(text) for text, found in TEXTS if (found == label) == mine]
        return (sum(token in text for text in texts) + 1) / (len(texts) + 2)

    return math.log(share(True) / share(False))


def test_it_starts_as_naive_bayes() -> None:
    model = begun(replace(SPEC, width=0))
    found = model(torch.tensor([[0, 2, 5]])).logits[0].tolist()
    for label in (0, 1):
        prior = math.log(sum(found == label for _, found in TEXTS) / len(TEXTS))
        expected = prior + SCALE * sum(ratio(token, label) for token in (0, 2, 5)) / math.sqrt(3)
        assert found[label] == pytest.approx(expected, rel=1e-5)


def test_a_run_that_comes_again_adds_nothing() -> None:
    model = begun(SPEC)
    torch.testing.assert_close(model(torch.tensor([[2, 4, 2, 2]])).logits, model(torch.tensor([[2, 4]])).logits)


def test_the_evidence_is_the_score() -> None:
    model = begun(SPEC)
    for weight in (model.say, model.change):
        weight.data += torch.randn(weight.shape)
    out = model(torch.tensor([[0, 3, 4, 0]]), lengths=torch.tensor([3]))
    torch.testing.assert_close(out.evidence.sum(1) + model.bias, out.logits)
    assert not out.evidence[0, 3].any()


def test_the_text_asks_for_its_runs() -> None:
    model = begun(SPEC)
    model.keys.weight.data = torch.randn(model.keys.weight.shape)
    real = torch.ones(1, 2, dtype=torch.bool)
    alone = [float(model.attention(torch.tensor([[2, other]]), real).detach()[0, 0]) for other in (3, 4)]
    assert abs(alone[0] - alone[1]) > 1e-4


@pytest.mark.parametrize("beside", [TextCNNSpec(embedding=8, filters=4, vocabulary=6), BiLSTMSpec(embedding=8, hidden=4, vocabulary=6)])
def test_a_model_beside_it_learns_by_itself(beside: TextCNNSpec | BiLSTMSpec) -> None:
    model = begun(replace(SPEC, beside=replace(beside, dropout=0.0)))
    ids, lengths, labels = torch.tensor([[0, 1, 2], [4, 5, 0]]), torch.tensor([3, 2]), torch.tensor([0, 1])
    out = model(ids, lengths=lengths, labels=labels)
    torch.testing.assert_close(out.logits, out.parts[0] + out.parts[1])
    torch.testing.assert_close(out.loss, cross_entropy(out.logits, labels))
    learning = model.train()(ids, lengths=lengths, labels=labels)
    torch.testing.assert_close(learning.loss, cross_entropy(learning.parts[0], labels) + cross_entropy(learning.parts[1], labels))


def test_further_models_beside_it_learn_by_themselves_too() -> None:
    spec = replace(
        SPEC,
        beside=TextCNNSpec(embedding=8, filters=4, widths=(1, 2), vocabulary=6, context=2, dropout=0.0),
        further=(
            BiLSTMSpec(embedding=8, hidden=4, vocabulary=6, dropout=0.0),
            TextCNNSpec(embedding=8, filters=4, widths=(1,), vocabulary=6, context=3, dropout=0.0),
        ),
    )
    model = begun(spec)
    ids, lengths, labels = torch.tensor([[0, 1, 2, 3], [4, 5, 0, 0]]), torch.tensor([4, 2]), torch.tensor([0, 1])
    out = model(ids, lengths=lengths, labels=labels)
    assert len(out.parts) == 4
    torch.testing.assert_close(out.logits, sum(out.parts))
    for part, one, read in zip(out.parts[1:], model.companions(), (2, 4, 3), strict=True):
        torch.testing.assert_close(part, one(ids[:, :read], lengths=lengths.clamp(max=read)).logits)
    learning = model.train()(ids, lengths=lengths, labels=labels)
    torch.testing.assert_close(learning.loss, sum(cross_entropy(part, labels) for part in learning.parts))


def test_further_models_stand_behind_one() -> None:
    with pytest.raises(SpecError, match=r"model\.beside|beside"):
        NgramSpec(further=(TextCNNSpec(),))


def test_the_words_in_their_order_are_handed_on() -> None:
    model = NgramAttention(replace(SPEC, beside=TextCNNSpec(embedding=8, filters=4, vocabulary=3)))
    model.begin(TOKENS, LENGTHS, LABELS, [False, True, False, True, True, False])
    words, lengths = model.in_order(torch.tensor([[0, 4, 2, 1], [5, 3, 0, 0]]), torch.tensor([[True] * 4, [True, True, False, False]]), 512)
    assert words.tolist() == [[2, 0], [1, 0]]
    assert lengths.tolist() == [2, 1]


def test_a_token_it_does_not_know_is_refused() -> None:
    with pytest.raises(ShapeError, match="token 9 is not"):
        begun(SPEC)(torch.tensor([[9]]))
