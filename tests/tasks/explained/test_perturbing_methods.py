"""Occlusion, Shapley values and head ablation against what they are by definition; what is done to units."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
import torch
from torch import Tensor, nn

from heedful.data.tokens import train_tokenizer
from heedful.errors import UsageError
from heedful.explanations.methods.head_ablation import HeadAblation, heads_of, names_of
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.shapley import Shapley
from heedful.tasks.explained.subjects import subject_of
from heedful.tasks.explained.tokens import Tokens, batches

EVERY = pytest.mark.parametrize("subject", ["encoder", "decoder", "recurrent", "text_cnn", "bilstm", "lstm_cnn"], indirect=True)


def log_p(subject: Tokens, ids: Tensor) -> Tensor:
    """By the model alone: the answer's log-probability after or of these tokens."""
    with torch.no_grad():
        logits = subject.reader.model(ids[None]).logits
    row = logits[0] if logits.dim() == 2 else logits[0, -1]
    target = subject.reader.target
    return row.log_softmax(-1)[target if isinstance(target, int) else target[0]]


@EVERY
def test_occlusion_is_the_loss_without_each_token(subject: Tokens) -> None:
    whole = log_p(subject, subject.ids)
    expected = [whole - log_p(subject, torch.cat([subject.ids[:i], subject.ids[i + 1 :]])) for i in range(subject.count)]
    torch.testing.assert_close(Occlusion().scores(subject), torch.stack(expected))
    pair = [whole - log_p(subject, torch.cat([subject.ids[:i], subject.ids[i + 2 :]])) for i in range(subject.count - 1)]
    torch.testing.assert_close(Occlusion(window=2).scores(subject)[0], pair[0] / 2)
    torch.testing.assert_close(Occlusion(window=2).scores(subject)[1], (pair[0] + pair[1]) / 4)


@EVERY
def test_an_empty_input_is_the_empty_token(subject: Tokens) -> None:
    found = subject.scored(torch.zeros(1, subject.count, dtype=torch.bool))
    torch.testing.assert_close(found[0], log_p(subject, torch.zeros(1, dtype=torch.long)))


def test_shapley_values_are_exact_where_an_order_and_its_reverse_are_all(encoder: nn.Module) -> None:
    subject = subject_of(encoder, torch.tensor([3, 1]))
    none, first, second, both = subject.scored(torch.tensor([[False, False], [True, False], [False, True], [True, True]]))
    expected = torch.stack([(first - none + both - second) / 2, (second - none + both - first) / 2])
    torch.testing.assert_close(Shapley(orders=1).scores(subject), expected)


def test_shapley_values_add_up_and_near_the_mean_over_all_orders(encoder: nn.Module) -> None:
    subject = subject_of(encoder, torch.tensor([3, 1, 4, 7]))
    value = {frozenset(kept): float(subject.scored(torch.tensor([[i in kept for i in range(4)]]))[0]) for kept in subsets(4)}
    orders = list(permutations(range(4)))
    joins = torch.tensor(
        [[value[frozenset(order[: order.index(i) + 1])] - value[frozenset(order[: order.index(i)])] for i in range(4)] for order in orders],
        dtype=torch.float64,
    )
    found = Shapley(orders=24).scores(subject)
    torch.testing.assert_close(found.sum(), torch.tensor(value[frozenset(range(4))] - value[frozenset()], dtype=torch.float64))
    # 24 independent pairs of an order and its reverse: five standard errors of the mean of such pairs.
    pairs = (joins + torch.stack([joins[orders.index(order[::-1])] for order in orders])) / 2
    assert bool(((found - joins.mean(0)).abs() <= 5 * pairs.std(0) / 24**0.5 + 1e-12).all())


def subsets(count: int) -> list[tuple[int, ...]]:
    """Every choice of units."""
    return [kept for size in range(count + 1) for kept in combinations(range(count), size)]


@pytest.mark.parametrize("subject", ["encoder", "decoder"], indirect=True)
def test_a_head_is_taken_away_by_its_columns(subject: Tokens) -> None:
    whole, scores = log_p(subject, subject.ids), HeadAblation().scores(subject)
    assert len(scores) == 8
    assert names_of(subject)[5] == "layer 2 head 2"
    for place, (layer, head) in enumerate(heads_of(subject)):
        weight = subject.reader.model.layers[layer].attention.out_proj.weight
        before = weight.detach().clone()
        with torch.no_grad():
            weight[:, head * 4 : head * 4 + 4] = 0.0
        torch.testing.assert_close(scores[place], whole - log_p(subject, subject.ids))
        with torch.no_grad():
            weight.copy_(before)


def test_units_are_deleted_masked_or_emptied(encoder: nn.Module) -> None:
    words = train_tokenizer("word", ["one two three four five six seven eight nine"], 11)
    subject = subject_of(encoder, "one two unheard", words)
    assert isinstance(subject, Tokens)
    assert subject.replacements == ("delete", "mask", "baseline")
    kept = torch.tensor([[True, False, True]])
    masked = subject.ids.clone()
    masked[1] = 0
    torch.testing.assert_close(subject.scored(kept, "mask")[0], log_p(subject, masked))
    vectors = subject.features.clone()
    vectors[1] = encoder.get_parameter("embedding.weight").mean(0)
    torch.testing.assert_close(subject.scored(kept, "baseline")[0], subject.of_features(vectors[None])[0].detach())
    with pytest.raises(UsageError, match="delete, mask, baseline"):
        subject.scored(kept, "blur")


def test_a_word_of_several_tokens_is_taken_whole(encoder: nn.Module, ids: Tensor) -> None:
    plain = subject_of(encoder, ids)
    assert isinstance(plain, Tokens)
    words = Tokens(plain.reader, ids, ("a", "b"), plain.answer, places=[(1, 2), (4,)])
    found = words.scored(torch.tensor([[False, True]]))
    torch.testing.assert_close(found[0], log_p(plain, ids[[0, 3, 4, 5, 6]]))
    assert len(Occlusion().scores(words)) == 2


def test_batches_hold_like_lengths() -> None:
    lengths = torch.tensor([5, 2, 5, 2, 3])
    assert sorted(row for rows in batches(lengths, False, False) for row in rows.tolist()) == [0, 1, 2, 3, 4]
    assert all(len(set(lengths[rows].tolist())) == 1 for rows in batches(lengths, True, False))
    assert [len(rows) for rows in batches(lengths, False, True)] == [1] * 5
