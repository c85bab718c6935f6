"""Rankers of every reading: nothing looks ahead, padding changes nothing, time and new items are read, each learns."""

from __future__ import annotations

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.models.ranker.build import build_ranker
from heedful.models.ranker.history import HistoryRanker
from heedful.models.ranker.ranker import Histories, Ranker
from heedful.spec import DecoderSpec, SpecError
from heedful.spec.ranker import ContentSpec, RankerSpec, VoteSpec

ITEMS = 11
MODELS = {
    "attention": RankerSpec(vocabulary=ITEMS, context=8, width=8, layers=2, heads=2, gaps=6, votes=VoteSpec(3, 2)),
    "sampled": RankerSpec(vocabulary=ITEMS, context=8, width=8, layers=1, heads=2, loss="sampled", negatives=4),
    "pointwise": RankerSpec(vocabulary=ITEMS, context=8, width=8, layers=2, heads=2, reading="pointwise", gaps=6),
    "target": RankerSpec(vocabulary=ITEMS, context=8, width=8, heads=2, reading="target", loss="sampled", negatives=4),
    "content": RankerSpec(vocabulary=ITEMS, context=8, width=8, heads=2, content=ContentSpec(features=6, most=3, users=True)),
}
IDS, TIMES = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[0, 60, 86_400, 86_460, 900_000]])


def model_of(name: str) -> Ranker:
    """A model of random weights, so that everything has a say."""
    model = build_ranker(MODELS[name])
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model.eval()


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_padding_changes_nothing(name: str) -> None:
    model = model_of(name)
    alone = model.scores(Histories(IDS, None, TIMES))
    ids, times = torch.cat([IDS, torch.tensor([[9, 9]])], 1), torch.cat([TIMES, torch.tensor([[5, 7]])], 1)
    padded = model.scores(Histories(ids, torch.tensor([5]), times))
    assert torch.allclose(alone, padded, atol=1e-5)
    assert not torch.allclose(alone, model.scores(Histories(IDS.flip(1), None, TIMES)), atol=1e-3)  # order counts


@pytest.mark.parametrize("name", ["attention", "pointwise", "content"])
@torch.no_grad()
def test_no_place_looks_ahead(name: str) -> None:
    model = model_of(name)
    assert isinstance(model, HistoryRanker)
    vectors = model.items.catalogue().vectors
    states = model.encode(Histories(IDS, None, TIMES), vectors).states
    other = IDS.clone()
    other[0, 3:] = 7
    changed = model.encode(Histories(other, None, TIMES), vectors).states
    assert torch.allclose(states[:, :3], changed[:, :3], atol=1e-5)
    assert not torch.allclose(states[:, 3:], changed[:, 3:], atol=1e-3)


@pytest.mark.parametrize("name", ["attention", "pointwise"])
@torch.no_grad()
def test_time_is_read_where_gaps_are(name: str) -> None:
    for model, read in ((model_of(name), True), (model_of("content"), False)):
        one, other = (model.scores(Histories(IDS, None, times)) for times in (TIMES, TIMES // 100))
        assert torch.equal(one, other) is not read


@pytest.mark.parametrize("name", MODELS)
def test_it_learns_a_rule(name: str) -> None:
    torch.manual_seed(1)
    model = build_ranker(MODELS[name])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    starts = torch.arange(ITEMS)
    rows = (starts[:, None] + torch.arange(6)) % ITEMS  # each item is followed by the next
    for _ in range(150):
        loss = model(rows[:, :-1], labels=rows[:, 1:], own=rows).loss
        assert loss is not None
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    labels = torch.full_like(rows[:, :-1], -100)
    labels[:, -1] = rows[:, -1]
    found = model.eval()(rows[:, :-1], labels=labels, seen=rows[:, :-1])
    assert float(found.gain) / len(rows) > 0.9  # chance: .4 of six items


@torch.no_grad()
def test_new_items_stand_beside_known_ones() -> None:
    model = model_of("content")
    features = torch.tensor([[0, 2, -1], [1, -1, -1]])
    model.items.features[4] = torch.tensor([0, 2, -1])
    catalogue = model.items.catalogue(features)
    assert catalogue.vectors.shape == (ITEMS + 2, 8)
    own = catalogue.vectors[4] - model.items.embedding.weight[4]
    assert torch.allclose(catalogue.vectors[ITEMS], own, atol=1e-6)
    scores = model.scores(Histories(torch.tensor([[1, ITEMS + 1]])), catalogue)
    assert scores.shape == (1, ITEMS + 2)
    assert bool(torch.isfinite(scores).all())


@torch.no_grad()
def test_the_user_is_read() -> None:
    model = model_of("content")
    one, other = (model.scores(Histories(IDS, None, None, torch.tensor([[trait, -1, -1]]))) for trait in (0, 3))
    assert not torch.allclose(one, other, atol=1e-4)


def test_hidden_items_are_read_by_content_alone_in_training() -> None:
    spec = RankerSpec(vocabulary=400, width=4, heads=1, content=ContentSpec(features=3, most=2, hidden=0.5))
    items = build_ranker(spec).items
    bare = (items.train().catalogue().vectors == 0).all(1).double().mean()
    assert abs(float(bare) - 0.5) < 4 * (0.25 / 400) ** 0.5  # four standard errors
    assert not bool((items.eval().catalogue().vectors == 0).all(1).any())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="8 items"):
        model_of("attention")(torch.zeros(1, 9, dtype=torch.long))
    with pytest.raises(UsageError, match="vocabulary"):
        build_ranker(RankerSpec())
    with pytest.raises(UsageError, match=r"data\.items"):
        build_ranker(RankerSpec(vocabulary=3, content=ContentSpec()))
    with pytest.raises(UsageError, match="ranks no items"):
        build_ranker(DecoderSpec())
    for wrong in ({"reading": "target"}, {"votes": VoteSpec(), "loss": "sampled"}, {"heads": 3}, {"calibration": 2.0}, {"gaps": -1}):
        with pytest.raises(SpecError):
            RankerSpec(**wrong)  # type: ignore[arg-type]


def test_nobody_votes_for_what_is_read_as_new() -> None:
    torch.manual_seed(0)
    model = build_ranker(RankerSpec(vocabulary=4, width=8, layers=1, votes=VoteSpec(3, 1), content=ContentSpec(features=3, hidden=0.99)))
    assert isinstance(model, HistoryRanker)
    assert model.votes is not None
    model.votes.neighbours.copy_(torch.tensor([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]))
    model.votes.beside.fill_(5.0)
    model.votes.having.fill_(9.0)
    ids, labels = torch.tensor([[0, 1]]), torch.tensor([[1, 2]])
    losses = []
    for weight in (1.0, 50.0):
        torch.nn.init.constant_(model.votes.weight, weight)
        torch.manual_seed(3)  # the same items are hidden both times, here all of them
        assert model.items.catalogue().own is not None
        torch.manual_seed(3)
        losses.append(model.eval().train()(ids, labels=labels, own=torch.tensor([[0, 1, 2]])).loss.item())
    assert losses[0] == losses[1]
