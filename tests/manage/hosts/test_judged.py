"""What Hugging Face models are judged by: their own loss, place by place, padding never."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification

from heedful.errors import UsageError
from heedful.manage.objective import token_losses
from heedful.manage.verify.pair import pairs
from manage.hosts.families import PLAIN, SERVED, batch, made

FAMILIES = {family.name: family for family in SERVED}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_causal_model_is_judged_on_real_places(side: Any, labelled: bool) -> None:
    model, given = made(FAMILIES["Llama"]), batch(side, FAMILIES["Llama"])
    rows = [(ids[real.bool()][None]) for ids, real in zip(given["input_ids"], given["attention_mask"], strict=True)]
    apart = [model(ids, labels=ids).loss * (ids.shape[1] - 1) for ids in rows]
    labels = {"labels": given["input_ids"].masked_fill(given["attention_mask"] == 0, -100)} if labelled else {}
    scored = token_losses(model, {**given, **labels})
    assert scored.number == sum(ids.shape[1] - 1 for ids in rows)
    if side == "right":  # with padding on the left this model counts places from the padding on, so its numbers are others
        torch.testing.assert_close(scored.total, torch.stack(apart).sum(), rtol=1e-4, atol=1e-4)
    scored.total.backward()
    assert model.get_input_embeddings().weight.grad is not None


def test_classifiers_of_one_class_of_several_and_of_none() -> None:
    given = batch("right", FAMILIES["BERT"])
    model = BertForSequenceClassification(BertConfig(**PLAIN, num_labels=3)).eval()
    labels = torch.tensor([0, 2, 1])
    scored = token_losses(model, {**given, "labels": labels})
    assert scored.number == 3
    torch.testing.assert_close(scored.total / 3, model(**given, labels=labels).loss)
    many = torch.randint(2, (3, 3)).float()
    several = BertForSequenceClassification(BertConfig(**PLAIN, num_labels=3, problem_type="multi_label_classification")).eval()
    torch.testing.assert_close(token_losses(several, {**given, "labels": many}).total / 9, several(**given, labels=many).loss)
    one = BertForSequenceClassification(BertConfig(**PLAIN, num_labels=1)).eval()
    with pytest.raises(UsageError, match="loss= would work for a regression"):
        token_losses(one, {**given, "labels": torch.zeros(3)})
    with pytest.raises(UsageError, match="a classifier is judged by its labels"):
        token_losses(model, given)


def test_tokens_of_a_tagger_are_judged_where_they_stand() -> None:
    given = batch("right", FAMILIES["BERT"])
    model = BertForTokenClassification(BertConfig(**PLAIN, num_labels=4)).eval()
    labels = torch.randint(4, (3, 11)).masked_fill(given["attention_mask"] == 0, -100)
    scored = token_losses(model, {**given, "labels": labels})
    torch.testing.assert_close(scored.total / scored.number, model(**given, labels=labels).loss)
    with pytest.raises(UsageError, match="judged by labels, one for each place"):
        token_losses(model, given)


def test_what_has_no_scores_needs_a_loss_of_the_users() -> None:
    given = batch("right", FAMILIES["BERT"])
    model = BertForQuestionAnswering(BertConfig(**PLAIN)).eval()
    with pytest.raises(UsageError, match="found QuestionAnsweringModelOutput without any; loss= would work"):
        token_losses(model, given)

    def start(asked: nn.Module, held: Any) -> torch.Tensor:
        return -asked(**held).start_logits.log_softmax(-1)[:, 0]

    assert token_losses(model, given, start).number == 3


def test_a_text_that_is_judged_as_a_whole_is_as_long_as_its_tokens() -> None:
    given = {**batch("right", FAMILIES["BERT"]), "labels": torch.tensor([0, 2, 1])}
    model = BertForSequenceClassification(BertConfig(**PLAIN, num_labels=3)).eval()
    assert [pair.length for pair in pairs(model, nullcontext, [given])] == given["attention_mask"].sum(1).tolist()
