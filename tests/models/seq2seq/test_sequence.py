"""Both models that read one text and write another: no token sees its future, padding changes nothing, steps equal the whole pass."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, SpecError
from heedful.spec.seq2seq import RnnSeq2SeqSpec, Seq2SeqSpec

SMALL = {"vocabulary": 11, "context": 12, "width": 16, "layers": 2, "heads": 2, "mlp_width": 24, "dropout": 0.0}
MODELS: dict[str, Seq2SeqSpec | RnnSeq2SeqSpec] = {
    "plain": Seq2SeqSpec(**SMALL),  # type: ignore[arg-type]
    "se": Seq2SeqSpec(**SMALL, gate=MechanismSpec("se")),  # type: ignore[arg-type]
    "copy": Seq2SeqSpec(**SMALL, copy=True, decoder_layers=1),  # type: ignore[arg-type]
    "other mechanisms": Seq2SeqSpec(  # type: ignore[arg-type]
        **SMALL,
        kv_heads=1,
        norm="rms",
        mlp="swiglu",
        tied=False,
        attention=AttentionSpec(score=MechanismSpec("cosine"), position=MechanismSpec("alibi"), qk_norm=True),
        cross=AttentionSpec(score=MechanismSpec("additive"), position=None, weighting=MechanismSpec("sparsemax")),
    ),
    "learned places": Seq2SeqSpec(**SMALL, attention=AttentionSpec(position=MechanismSpec("learned"))),  # type: ignore[arg-type]
    "bahdanau": RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8, dropout=0.0),
    "bahdanau, coverage and copy": RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8, dropout=0.0, coverage=1.0, copy=True),
    "luong general": RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8, dropout=0.0, look="luong", score="general", cell="lstm"),
    "luong dot, feeding": RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8, dropout=0.0, look="luong", score="dot", feeding=True),
    "luong concat, layers": RnnSeq2SeqSpec(
        vocabulary=11, embedding=8, hidden=8, dropout=0.0, look="luong", score="concat", layers=2, tied=False
    ),
}
SOURCE = torch.tensor([[1, 2, 3, 4, 11], [5, 6, 11, 11, 11]])
LENGTHS = torch.tensor([5, 3])
IDS = torch.tensor([[11, 7, 8, 9], [11, 1, 2, 3]])
LABELS = torch.tensor([[7, 8, 9, 11], [1, 2, 11, -100]])
# Sums of the same terms in another order: a few hundred roundings of float64 at values of order one.
SAME = {"atol": 1e-12, "rtol": 1e-10}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Seq2Seq:
    built = build_seq2seq(MODELS[request.param]).double().eval()
    for weight in built.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))  # gates and pointers that start closed would hide what they do
    return built


def test_no_token_sees_a_later_one(model: Seq2Seq) -> None:
    changed = IDS.clone()
    changed[:, 2:] = (changed[:, 2:] + 1) % 11
    before, after = (model(SOURCE, LENGTHS, ids).logits for ids in (IDS, changed))
    torch.testing.assert_close(before[:, :2], after[:, :2], **SAME)
    assert not torch.allclose(before[:, 2:], after[:, 2:], atol=1e-6)


def test_padding_changes_nothing_and_what_is_padded_is_not_read(model: Seq2Seq) -> None:
    both = model(SOURCE, LENGTHS, IDS, trace=True)
    alone = model(SOURCE[1:, :3], LENGTHS[1:], IDS[1:], trace=True)
    torch.testing.assert_close(both.logits[1:], alone.logits, **SAME)
    other = SOURCE.clone()
    other[1, 3:] = 4
    torch.testing.assert_close(model(other, LENGTHS, IDS).logits.softmax(-1), both.logits.softmax(-1), **SAME)
    assert both.alignment is not None
    assert torch.equal(both.alignment[1, :, 3:], torch.zeros(4, 2, dtype=torch.float64))
    torch.testing.assert_close(both.alignment.sum(-1), torch.ones(2, 4, dtype=torch.float64))


def test_steps_equal_the_whole_pass_while_beams_move(model: Seq2Seq) -> None:
    """Rows are exchanged within a source as a beam search does, then a source leaves the batch."""
    with torch.no_grad():
        writing = model.begin(SOURCE, LENGTHS)
        first = model.step(IDS[:, 0], writing)
        writing.select(torch.tensor([0, 0, 1, 1]))  # two beams a source
        second = model.step(torch.tensor([7, 3, 1, 5]), writing)
        writing.reorder(torch.tensor([1, 0, 3, 2]))
        third = model.step(torch.tensor([4, 8, 6, 2]), writing)
        writing.select(torch.tensor([2]))  # the first beam of the second source
        last = model.step(torch.tensor([9]), writing)
        whole = {
            row: model(SOURCE[row : row + 1, : LENGTHS[row]], LENGTHS[row : row + 1], ids).logits[0]
            for row, ids in ((0, torch.tensor([[11, 3, 4]])), (1, torch.tensor([[11, 5, 6, 9]])))
        }
    torch.testing.assert_close(first[0], whole[0][0], **SAME)
    torch.testing.assert_close(second[1], whole[0][1], **SAME)
    torch.testing.assert_close(third[0], whole[0][2], **SAME)
    torch.testing.assert_close(third[2], whole[1][2], **SAME)
    torch.testing.assert_close(last[0], whole[1][3], **SAME)


def test_the_loss_is_the_mean_over_labels_and_smoothing_is_as_written(model: Seq2Seq) -> None:
    out = model(SOURCE, LENGTHS, IDS, labels=LABELS, smoothing=0.1)
    logs, kept = out.logits.float().log_softmax(-1), LABELS >= 0
    picked = logs.gather(2, LABELS.clamp(min=0)[..., None])[..., 0][kept]
    wanted = -(0.9 * picked + 0.1 * logs.mean(-1)[kept]).mean()  # a tenth of each label is spread over all twelve tokens
    assert out.loss is not None
    assert abs(out.loss.item() - wanted.item()) < 1e-5 * abs(wanted.item())


def test_every_parameter_learns(model: Seq2Seq) -> None:
    model.train()
    loss = model(SOURCE, LENGTHS, IDS, labels=LABELS).loss
    assert loss is not None
    loss.backward()
    learning = {name: weight.grad for name, weight in model.named_parameters() if weight.requires_grad}
    still = [name for name, grad in learning.items() if grad is None or not grad.any()]
    assert still == []


def test_copying_is_a_distribution_that_favours_the_source() -> None:
    model = build_seq2seq(MODELS["copy"]).double().eval()
    out = model(SOURCE, LENGTHS, IDS)
    torch.testing.assert_close(out.logits.exp().sum(-1), torch.ones(2, 4), atol=1e-6, rtol=0)  # the mixture is kept in float32
    chances = out.logits.exp()[1, 0]
    assert min(chances[[5, 6]]) > max(chances[[1, 2, 3, 4, 7, 8, 9, 10]])


def test_coverage_knows_what_was_read_and_is_paid_for_while_learning() -> None:
    spec = MODELS["bahdanau, coverage and copy"]
    model = build_seq2seq(spec).double()
    learning = model(SOURCE, LENGTHS, IDS, labels=LABELS, trace=True)
    judged = model.eval()(SOURCE, LENGTHS, IDS, labels=LABELS)
    weights = learning.alignment
    seen = weights.cumsum(1) - weights
    again = torch.minimum(weights, seen).sum(-1)[LABELS >= 0].mean()
    assert math.isclose((learning.loss - judged.loss).item(), again.item(), rel_tol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="needs the tokenizer's size"):
        build_seq2seq(Seq2SeqSpec(width=8, layers=1))
    with pytest.raises(UsageError, match="seq2seq"):
        build_seq2seq(DecoderSpec(vocabulary=9))
    with pytest.raises(UsageError, match="additive would work"):
        build_seq2seq(RnnSeq2SeqSpec(vocabulary=9, score="dot", coverage=1.0))
    with pytest.raises(SpecError, match="cannot be compared"):
        Seq2SeqSpec(cross=AttentionSpec())
    with pytest.raises(SpecError, match="luong's"):
        RnnSeq2SeqSpec(feeding=True)
    model = build_seq2seq(MODELS["learned places"])
    with pytest.raises(ShapeError, match="more than the 13"):
        model(SOURCE, LENGTHS, torch.zeros(2, 14, dtype=torch.long))
    with pytest.raises(ShapeError, match="vocabulary of 12"):
        model(SOURCE, LENGTHS, torch.full((2, 3), 12))
