"""Beam search against one that keeps every text there is, against greedy steps, and against itself a source at a time."""

from __future__ import annotations

import itertools

import pytest
import torch

from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.seq2seq.search import beam_search
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.spec import MechanismSpec
from heedful.spec.search import Search
from heedful.spec.seq2seq import RnnSeq2SeqSpec, Seq2SeqSpec

TINY = {"vocabulary": 3, "context": 8, "width": 8, "layers": 1, "heads": 2, "mlp_width": 8, "dropout": 0.0}
MODELS = {
    "transformer": Seq2SeqSpec(**TINY),  # type: ignore[arg-type]
    "se": Seq2SeqSpec(**TINY, gate=MechanismSpec("se")),  # type: ignore[arg-type]
    "coverage": RnnSeq2SeqSpec(vocabulary=3, embedding=8, hidden=8, dropout=0.0, coverage=1.0),
}
SOURCES = torch.tensor([[0, 1, 2, 3], [2, 3, 3, 3], [1, 1, 3, 3]])
LENGTHS = torch.tensor([4, 2, 3])
MOST = 4


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Seq2Seq:
    built = build_seq2seq(MODELS[request.param]).eval()
    for weight in built.parameters():
        weight.data.add_(0.7 * torch.randn_like(weight))  # choices that differ
    return built


def worths(model: Seq2Seq, row: int, texts: list[list[int]]) -> list[float]:
    """The log-probability of each text, its mark included unless it is as long as texts may be."""
    targets = [[*ids, model.mark][:MOST] for ids in texts]
    labels = torch.tensor([[*target, *[-1] * (MOST - len(target))] for target in targets])
    before = torch.cat([torch.full_like(labels[:, :1], model.mark), labels[:, :-1].clamp(min=0)], dim=1)
    source = SOURCES[row : row + 1, : LENGTHS[row]].expand(len(texts), -1)
    with torch.no_grad():
        logs = model(source, LENGTHS[row : row + 1].expand(len(texts)), before).logits.log_softmax(-1)
    each = logs.gather(2, labels.clamp(min=0)[..., None])[..., 0] * (labels >= 0)
    return each.sum(1).tolist()


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_beams_enough_for_all_texts_find_the_best(model: Seq2Seq, penalty: float) -> None:
    """27 beams hold every beginning of three tokens, so what is found is the best of all 121 texts."""
    found = beam_search(model, SOURCES, LENGTHS, MOST, Search(beams=27, length_penalty=penalty, best=3))
    texts = [list(ids) for length in range(MOST + 1) for ids in itertools.product(range(3), repeat=length)]
    for row in range(3):
        logs = worths(model, row, texts)
        ranked = sorted(((log / min(len(ids) + 1, MOST) ** penalty, ids) for log, ids in zip(logs, texts, strict=True)), reverse=True)
        best = found[row][0]
        # Float32 sums of four terms; texts nearer than that could change places, and none here are.
        assert ranked[0][0] - ranked[1][0] > 1e-4
        assert best.ids == ranked[0][1]
        assert abs(best.score - ranked[0][0]) < 1e-5 * max(1.0, abs(ranked[0][0]))
        assert [hypothesis.score for hypothesis in found[row]] == sorted((h.score for h in found[row]), reverse=True)


def test_a_batch_finds_what_each_source_finds_alone(model: Seq2Seq) -> None:
    search = Search(beams=3, best=2)
    together = beam_search(model, SOURCES, LENGTHS, 8, search)
    for row in range(3):
        (alone,) = beam_search(model, SOURCES[row : row + 1, : LENGTHS[row]], LENGTHS[row : row + 1], 8, search)
        assert [one.ids for one in alone] == [one.ids for one in together[row]]


def test_one_beam_takes_the_likeliest_token_each_time(model: Seq2Seq) -> None:
    (found,), ids = beam_search(model, SOURCES[:1], LENGTHS[:1], 8, Search(beams=1)), []
    writing, last = model.begin(SOURCES[:1], LENGTHS[:1]), torch.tensor([model.mark])
    with torch.no_grad():
        for _ in range(8):
            last = model.step(last, writing).argmax(1)
            ids.append(int(last))
            if ids[-1] == model.mark:
                break
    assert found[0].ids == [token for token in ids if token != model.mark]


def test_the_hypotheses_of_a_source_differ(model: Seq2Seq) -> None:
    for row in beam_search(model, SOURCES, LENGTHS, 6, Search(beams=4, best=4)):
        texts = [tuple(one.ids) for one in row]
        assert len(set(texts)) == len(texts) > 1
