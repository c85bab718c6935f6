"""Texts written for others, against the models themselves and derivations written out in float64."""

from __future__ import annotations

import warnings

import pytest
import torch
from tests.tasks.explained.conftest import stirred
from torch import Tensor, nn

import heedful
from heedful.attention.attend import attend
from heedful.data.tokens import train_tokenizer
from heedful.errors import Unsupported, UsageError
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.head_ablation import HeadAblation
from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.quick import Quick
from heedful.explanations.methods.relevance import Relevance, normed
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.table import METHODS
from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.spec.seq2seq import RnnSeq2SeqSpec, Seq2SeqSpec
from heedful.tasks.explained.tokens import Tokens
from heedful.tasks.explained.writing import Wanted, Written, of_written, parted, wanted_of

MARK = 11
SOURCE, IDS = torch.tensor([3, 1, 4, 1, MARK]), (5, 9, 2)
SPECS = {
    "transformer": Seq2SeqSpec(vocabulary=11, context=16, width=16, layers=2, heads=4),
    "copying": Seq2SeqSpec(vocabulary=11, context=16, width=16, layers=1, heads=2, copy=True),
    "recurrent": RnnSeq2SeqSpec(vocabulary=11, embedding=8, hidden=8),
}


@pytest.fixture(params=SPECS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return stirred(build_seq2seq(SPECS[request.param]))


@pytest.fixture
def transformer() -> nn.Module:
    torch.manual_seed(0)
    return stirred(build_seq2seq(SPECS["transformer"]))


def of(model: nn.Module, wanted: Wanted) -> Tokens:
    assert isinstance(model, Seq2Seq)
    return of_written(model, Written(SOURCE, IDS), wanted, None)


ROUNDING = 2 * 5 * 16 * 2.0**-24  # a pointer's mixture is in float32: five sums of logarithms below 16, on both sides


def by_hand(model: nn.Module, source: Tensor, before: tuple[int, ...], target: tuple[int, ...]) -> float:
    """The log-probability of some tokens after others, one forward pass of the model."""
    ids = torch.tensor([[MARK, *before, *target[:-1]]])
    with torch.no_grad():
        logs = model(source[None], torch.tensor([len(source)]), ids).logits[0].log_softmax(-1)
    return sum(float(logs[len(before) + i, token]) for i, token in enumerate(target))


def test_an_answer_has_the_models_own_log_probability(model: nn.Module) -> None:
    one = of(model, Wanted(1, (9,), (7,)))
    wanted = by_hand(model, SOURCE, (5,), (9,)) - by_hand(model, SOURCE, (5,), (7,))
    assert float(one.scored(one.whole())) == pytest.approx(wanted, abs=ROUNDING)
    whole = of(model, Wanted(0, (*IDS, MARK)))
    assert float(whole.scored(whole.whole())) == pytest.approx(by_hand(model, SOURCE, (), (*IDS, MARK)), abs=ROUNDING)
    longer = of(model, Wanted(0, (5, 9), (4, 1, 3)))
    assert longer.no_attention is not None
    wanted = by_hand(model, SOURCE, (), (5, 9)) - by_hand(model, SOURCE, (), (4, 1, 3))
    assert float(longer.scored(longer.whole())) == pytest.approx(wanted, abs=ROUNDING)


def test_words_are_taken_from_the_source_and_from_what_is_written(model: nn.Module) -> None:
    subject = of(model, Wanted(2, (2,)))
    assert subject.parts == (("the source", 4), ("written before it", 2))
    kept = torch.tensor([[True] * 6, [False, True, True, True, True, True], [True, True, False, False, True, False], [False] * 6])
    rows = [(SOURCE, (5, 9)), (SOURCE[1:], (5, 9)), (SOURCE[[0, 1, 4]], (5,)), (SOURCE[4:], ())]
    found = subject.scored(kept)
    for value, (source, before) in zip(found.tolist(), rows, strict=True):
        assert value == pytest.approx(by_hand(model, source, before, (2,)), abs=ROUNDING)


def test_gradients_reach_both_texts_as_captum_says(model: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.attr import InputXGradient
    subject = of(model, Wanted(2, (2,)))
    theirs = InputXGradient(subject.of_features).attribute(subject.features[None].clone().requires_grad_()).sum(-1)[0]
    expected = torch.stack([theirs[list(places)].sum() for places in subject.places])
    assert (InputGradient().scores(subject) - expected.double()).abs().max() <= 1e-9
    assert (expected.abs() > 0).all()
    assert float(subject.of_features(subject.features[None])) == pytest.approx(float(subject.scored(subject.whole())), abs=1e-9)


def test_the_default_measures_what_is_lost(model: nn.Module) -> None:
    subject = of(model, Wanted(2, (2,)))
    torch.testing.assert_close(Measured().scores(subject), Occlusion().scores(subject))
    assert Measured().passes(subject) <= 20


def test_attention_is_that_of_the_place_which_foretells_the_word(transformer: nn.Module) -> None:
    subject = of(transformer, Wanted(1, (9,)))
    with torch.no_grad():
        traces = transformer(SOURCE[None], torch.tensor([5]), torch.tensor([[MARK, 5]]), trace=True).traces
    crossed = torch.stack([trace.weights[0, :, 1].mean(0) for trace in traces]).mean(0)
    found = Attention().scores(subject)
    torch.testing.assert_close(found[:4], crossed[:4])
    assert len(found) == 5
    torch.testing.assert_close(Attention(layer=2, head=3).scores(subject)[:4], traces[1].weights[0, 2, 1][:4])


def test_relevance_is_chefers_in_the_whole_model(transformer: nn.Module) -> None:
    """Equations 5, 6, 8 to 10, with attention matrices that are in the graph."""
    subject, kept = of(transformer, Wanted(2, (2,))), list[tuple[str, Tensor]]()
    found = Relevance().scores(subject)

    def core(name: str) -> object:
        def attended(q: Tensor, k: Tensor, v: Tensor, **options: object) -> Tensor:
            options.pop("return_weights", None)
            weights = attend(q, k, v, return_weights=True, **options)[1]
            kept.append((name, weights))
            return weights @ v

        return attended

    parts = (("source", transformer.reading), ("self", transformer.writing))
    layers = [(side, block.attention) for side, part in parts for block in part]
    layers += [("cross", block.cross) for block in transformer.writing]
    before = [layer.core for _, layer in layers]
    for name, layer in layers:
        layer.core = core(name)
    score = subject.of_features(subject.features[None].clone().requires_grad_())[0]
    for (_, layer), own in zip(layers, before, strict=True):
        layer.core = own
    grads = torch.autograd.grad(score, [weights for _, weights in kept], allow_unused=True)
    own, theirs, crossed = torch.eye(3).double(), torch.eye(5).double(), torch.zeros(3, 5).double()
    for (side, weights), grad in zip(kept, grads, strict=True):
        matrix = torch.zeros_like(weights[0]).mean(0) if grad is None else (grad * weights).clamp(min=0).mean(1)[0].detach()
        if side == "source":
            theirs = theirs + matrix @ theirs
        elif side == "self":
            own, crossed = own + matrix @ own, crossed + matrix @ crossed
        else:
            crossed = crossed + normed(own).T @ matrix @ normed(theirs)
    row = subject.reading.double()
    expected = torch.cat([(row @ crossed)[:4], (row @ own)[1:3]])
    torch.testing.assert_close(found, expected)
    assert float(row[-1]) == pytest.approx(1.0)  # only the last place foretells the word


def test_heads_of_all_three_kinds_can_be_silenced(transformer: nn.Module) -> None:
    subject = of(transformer, Wanted(1, (9,)))
    found = HeadAblation().scores(subject)
    assert len(found) == 2 * 4 + 2 * (4 + 4)
    block = transformer.writing[0].cross
    weight = block.out_proj.weight
    held = weight.detach().clone()
    with torch.no_grad():
        weight[:, 4:8] = 0.0  # the second head of the first layer that looks across
        without = by_hand(transformer, SOURCE, (5,), (9,))
        weight.copy_(held)
    assert float(found[8 + 4 + 1]) == pytest.approx(by_hand(transformer, SOURCE, (5,), (9,)) - without, abs=1e-9)


def test_what_cannot_serve_says_why(transformer: nn.Module) -> None:
    subject = of(transformer, Wanted(1, (9,)))
    with pytest.raises(Unsupported, match="across two"):
        Rollout().explained(subject)
    torch.manual_seed(0)
    plain = of(stirred(build_seq2seq(SPECS["recurrent"])), Wanted(1, (9,)))
    serving = {method.name for method in METHODS if method.why_not(plain) is None}
    assert {"measured", "quick", "occlusion", "shapley", "attention", "integrated_gradients"} <= serving
    assert "relevance" not in serving


def test_rows_are_parted_behind_their_first_mark() -> None:
    ids = torch.tensor([[1, 2, 9, 9, 4, 5], [9, 9, 4, 0, 0, 0], [1, 9, 9, 0, 0, 0]])
    found = parted(ids, torch.tensor([6, 3, 3]), 9)
    assert found.source.tolist() == [[1, 2, 9], [9, 9, 9], [1, 9, 9]]
    assert (found.sizes.tolist(), found.lengths.tolist()) == ([3, 1, 2], [3, 2, 1])
    assert found.written.tolist() == [[9, 4, 5], [9, 4, 9], [9, 9, 9]]


def test_a_word_is_named_by_itself_or_by_its_number() -> None:
    words = train_tokenizer("word", ["one two three four five six seven eight nine"], 11)
    text = Written(SOURCE, tuple(words.encode("two one two").tolist()))
    two, one = (int(words.encode(word)[0]) for word in ("two", "one"))
    assert wanted_of(text.ids, MARK, words, "one", "two") == Wanted(1, (one,), (two,))
    assert wanted_of(text.ids, MARK, words, 3, None) == Wanted(2, (two,))
    assert wanted_of(text.ids, MARK, words, None, None).target == (*text.ids, MARK)
    for asked, said in ((("ten", None), "two, one, two"), (("two", "two"), "another contrast"), ((None, "two"), "target=")):
        with pytest.raises(UsageError, match=said):
            wanted_of(text.ids, MARK, words, *asked)


def test_the_public_door_takes_a_source_and_what_was_written(transformer: nn.Module) -> None:
    found = heedful.explain(transformer, {"source": SOURCE[:-1], "written": torch.tensor(IDS)}, target=9, method=Quick())
    expected = Quick().scores(of(transformer, Wanted(1, (9,))))
    torch.testing.assert_close(found.scores, expected)
    assert "the source" in found.html()
    alone = heedful.explain(transformer, SOURCE[:-1])
    assert len(alone.scores) == 4
