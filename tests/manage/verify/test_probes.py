from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from heedful.manage.verify.probes.again import again, two
from heedful.manage.verify.probes.copy import LEAD, copy, repeated
from heedful.manage.verify.probes.needle import DEPTHS, KEY, VALUE, hidden, needle
from heedful.manage.verify.probes.probe import Text, asked

LENGTH = 120


class Copier(nn.Module):
    """Finds where its last two tokens stood before, no further back than `reach`, and says what came after them."""

    reach = LENGTH

    def forward(self, input_ids: Tensor) -> SimpleNamespace:
        b, t = input_ids.shape
        logits = torch.zeros(b, t, 50)
        for row in range(b):
            for at in range(2, t):
                for back in range(at - 1, max(1, at - self.reach), -1):
                    if input_ids[row, back - 1 : back + 1].equal(input_ids[row, at - 1 : at + 1]):
                        logits[row, at, input_ids[row, back + 1]] = 8.0
                        break
        return SimpleNamespace(logits=logits)


@contextmanager
def short_sighted(model: Copier, prefill: int) -> Iterator[None]:
    """Within it the model looks back 70 tokens."""
    try:
        model.reach = 70
        yield
    finally:
        model.reach = LENGTH


def text() -> Text:
    return Text(torch.randint(50, (4, LENGTH)), seed=1)


def test_needles_are_lost_where_a_plan_no_longer_sees() -> None:
    model = Copier()
    found = list(needle(model, lambda prefill: short_sighted(model, prefill), text(), LENGTH, 2))
    assert len(found) == len(DEPTHS)
    assert all(probe.known and probe.dense_rank < 5 for probe in found)
    assert [probe.telling for probe in found] == [True, True, False, False, False]
    assert found[0].planned_rank > found[0].dense_rank


def test_far_copies_are_lost_and_near_ones_are_not() -> None:
    model = Copier()
    far, near = copy(model, lambda prefill: short_sighted(model, prefill), text(), LENGTH, 2)
    assert far.known
    assert far.telling
    assert near.known
    assert near.lost == 0


def test_each_question_on_one_context_is_judged_alone() -> None:
    model = Copier()
    first, second = again(model, lambda prefill: short_sighted(model, prefill), text(), LENGTH, 2)
    assert first.telling
    assert second.known
    assert not second.telling


def test_a_fact_stands_where_it_was_put_and_is_asked_for_at_the_end() -> None:
    for depth in (0.0, *DEPTHS, 1.0):
        question = hidden(text(), LENGTH, 2, depth)
        assert question.ids.shape == (2, LENGTH)
        fact = question.ids[:, question.context :]
        assert fact.shape[1] == KEY + VALUE
        assert question.answer == LENGTH - VALUE
        places = [at for at in range(question.context) if question.ids[0, at : at + KEY + VALUE].equal(fact[0])]
        assert places == [int(depth * (LENGTH - 2 * (KEY + VALUE)))]


def test_the_same_context_carries_both_questions() -> None:
    first, second = two(text(), LENGTH, 2)
    assert first.ids[:, : first.context].equal(second.ids[:, : second.context])
    assert not first.ids.equal(second.ids)
    question = repeated(text(), 40, 2, near=False)
    span = question.ids[:, question.context :]
    assert span.equal(question.ids[:, : span.shape[1]])
    assert question.answer == question.context + LEAD


def test_a_model_that_does_not_know_loses_nothing_worth_telling() -> None:
    class Guess(nn.Module):
        level = 0.0

        def forward(self, input_ids: Tensor) -> SimpleNamespace:
            return SimpleNamespace(logits=self.level * torch.randn(*input_ids.shape, 50))

    @contextmanager
    def wilder(model: Guess) -> Iterator[None]:
        model.level = 9.0
        yield
        model.level = 0.0

    model = Guess()
    probe = asked(model, lambda prefill: wilder(model), hidden(text(), LENGTH, 2, 0.5), "guess", "")
    assert probe.lost > 1
    assert not probe.known
    assert not probe.telling
