"""The matcher: padding and company change nothing, pairs are scored as written, and each part learns."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from heedful.data.labelled.texts import Texts
from heedful.data.questions.reading import MatchBatch, read
from heedful.data.tokens.grams import Grams
from heedful.errors import UsageError
from heedful.models.matcher.matcher import Matcher, build_matcher, picked
from heedful.spec import DecoderSpec, MatcherSpec, SpecError

TEXTS = Texts(("lost my card", "card is lost", "forgot the pin code again today", "new pin"), ("card", "card", "pin", "pin"))
GRAMS = Grams.train(["\n".join(TEXTS.texts)], None)
SMALL = {"vocabulary": GRAMS.size, "labels": ("card", "pin"), "width": 16, "heads": 2, "lexical": 8, "context": 8}


def batch(places: list[int], group: int = 1) -> MatchBatch:
    return read(TEXTS, ("card", "pin"), GRAMS, 8).batch(torch.tensor(places), group)


@pytest.mark.parametrize("layers", [0, 2])
def test_company_changes_nothing(layers: int) -> None:
    model = Matcher(MatcherSpec(**SMALL, layers=layers)).eval()
    together, alone = model(batch([0, 2])), model(batch([0]))
    # Sums of at most a few hundred terms of order one in float32: 1e-5 is a hundred roundings.
    torch.testing.assert_close(together.logits[:1], alone.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.towered.attentive[:1], alone.towered.attentive, atol=1e-5, rtol=1e-5)
    assert together.towered.pooled[0, 3:].abs().max() == 0


def test_the_lexical_vector_is_the_weighted_sum_of_runs() -> None:
    model = Matcher(MatcherSpec(**SMALL)).eval()
    one = batch([1])
    wanted = normalize((one.weights[0, :, None] * model.tower.weighed.weight[one.runs[0]]).sum(0), dim=0)
    torch.testing.assert_close(model.tower(one).lexical[0], wanted, atol=1e-6, rtol=1e-5)


def test_the_loss_of_pairs_is_that_of_the_formula() -> None:
    model = Matcher(MatcherSpec(**SMALL, dropout=0.0, drop_runs=0.0, drop_words=0.0, smoothing=0.0, contrast=1.0, hard=1))
    rows = batch([0, 1, 2, 2, 3, 1], group=3)
    found = model.train()(rows)
    towered = model.tower(rows)
    wanted = torch.zeros(())
    for vectors, scale in ((towered.attentive, model.scales[0]), (towered.lexical, model.scales[1])):
        scores = scale * vectors @ vectors.T
        # of text 0 (card): its like is row 1; rows 2, 3 and 4 are of another class, row 5 of its own
        first = cross_entropy(scores[0, [1, 2, 3, 4]][None], torch.tensor([0]))
        # of text 3 (pin), its like row 4: rows 0, 1 and 5 are of another class
        second = cross_entropy(scores[3, [4, 0, 1, 5]][None], torch.tensor([0]))
        wanted = wanted + (first + second) / 2
    plain = sum(cross_entropy(stream, rows.labels) for stream in model.streams(towered))
    torch.testing.assert_close(found.loss, plain + wanted, atol=1e-5, rtol=1e-5)


def test_a_reranked_pair_does_not_depend_on_its_company() -> None:
    model = Matcher(MatcherSpec(**SMALL, rerank=1, hard=1)).eval()
    found, (short,) = model.tower(batch([0, 1, 2, 3])), [model.tower(batch([0, 3]))]
    many, _ = model.reranker(picked(found, torch.tensor([0, 0])), picked(found, torch.tensor([2, 3])))
    one, _ = model.reranker(picked(short, torch.tensor([0])), picked(short, torch.tensor([1])))
    torch.testing.assert_close(many[1:], one, atol=1e-5, rtol=1e-5)


def test_every_part_learns() -> None:
    model = Matcher(MatcherSpec(**SMALL, rerank=1, hard=1, contrast=0.5)).train()
    model(batch([0, 1, 2, 2, 3, 1], group=3)).loss.backward()
    still = [name for name, weight in model.named_parameters() if weight.grad is None or not bool(weight.grad.abs().sum() > 0)]
    # A key's bias moves all scores of a query alike, which the softmax does not see; the norm of the last layer's pooling is seen.
    assert not [name for name in still if "bias" not in name]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="two classes"):
        Matcher(MatcherSpec(vocabulary=9, labels=()))
    with pytest.raises(UsageError, match="vocabulary is 0"):
        Matcher(MatcherSpec(labels=("a", "b")))
    with pytest.raises(UsageError, match="does not match"):
        build_matcher(DecoderSpec())
    with pytest.raises(SpecError, match="hard"):
        MatcherSpec(rerank=1)
    with pytest.raises(SpecError, match="heads"):
        MatcherSpec(width=10, heads=4)


def test_members_stand_side_by_side_and_each_learns_the_classes_by_itself() -> None:
    torch.manual_seed(0)
    model = Matcher(MatcherSpec(**SMALL, members=2, smoothing=0.0)).eval()
    some = batch([0, 2])
    out = model(some)
    assert out.towered.attentive.shape == (2, 32)
    torch.testing.assert_close(out.towered.attentive.norm(dim=1), torch.ones(2))
    first, second = (out.towered.attentive[:, part] * 2**0.5 for part in (slice(0, 16), slice(16, None)))
    assert (first - second).abs().max() > 0.1
    real = torch.arange(some.words.shape[1]) < some.lengths[:, None]
    torch.testing.assert_close(second, model.tower.others[0].attended(some, real)[0])
    wanted = model.scales[0] * second @ normalize(model.attentive[:, 16:], dim=-1).T
    streams = model.streams(out.towered)
    assert len(streams) == 3
    torch.testing.assert_close(streams[1], wanted)
    torch.testing.assert_close(out.loss, sum(cross_entropy(stream, some.labels) for stream in streams))


def test_one_member_has_the_weights_it_always_had() -> None:
    names = {name.split(".")[0] for name in Matcher(MatcherSpec(**SMALL)).tower.state_dict()}
    assert names == {"runs", "weighed", "places", "layers", "norm", "hidden", "views", "together"}
