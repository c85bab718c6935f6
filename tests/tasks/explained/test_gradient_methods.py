"""Gradient methods against captum and against what a linear model must give."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest
import torch

from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.integrated_gradients import IntegratedGradients
from heedful.explanations.methods.interactions import MOST, Interactions
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.quick import Quick
from heedful.explanations.subject import Subject
from heedful.tasks.explained.subjects import subject_of
from heedful.tasks.explained.tokens import Tokens

EVERY = pytest.mark.parametrize("subject", ["encoder", "decoder", "recurrent", "text_cnn", "bilstm", "lstm_cnn"], indirect=True)
CAPTUM = 1e-5  # what the mission asks; in float64 both are far closer


@EVERY
def test_input_gradient_is_captums(subject: Tokens) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.attr import InputXGradient
    features = subject.features[None].clone().requires_grad_()
    theirs = InputXGradient(subject.of_features).attribute(features).sum(-1)[0]
    assert (InputGradient().scores(subject) - theirs.double()).abs().max() <= CAPTUM


@EVERY
def test_integrated_gradients_are_captums_and_complete(subject: Tokens) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.attr import IntegratedGradients as Theirs
    features, nothing = subject.features[None].clone(), subject.baseline[None]
    theirs = Theirs(subject.of_features).attribute(features, nothing, n_steps=24, method="gausslegendre").sum(-1)[0]
    assert (IntegratedGradients(steps=24).scores(subject) - theirs.double()).abs().max() <= CAPTUM
    if subject.no_attention is None and subject.looked().layers:  # smooth all the way, so that the sum is the change (completeness)
        with torch.no_grad():
            change = subject.of_features(features) - subject.of_features(nothing)
        whole, half = (float(IntegratedGradients(steps).scores(subject).sum() - change[0]) for steps in (64, 8))
        assert abs(whole) <= max(abs(half), 1e-9)


@EVERY
def test_what_is_measured_is_what_is_lost(subject: Tokens) -> None:
    lost = Occlusion().scores(subject)
    torch.testing.assert_close(Measured().scores(subject), lost)  # seven units, all of them measured
    few = Measured(top=2).scores(subject)
    best = Quick().scores(subject).abs().topk(2).indices
    torch.testing.assert_close(few[best], lost[best])
    rest = torch.ones(subject.count, dtype=torch.bool)
    rest[best] = False
    assert few[rest].abs().max() <= lost[best].abs().max()


def test_the_default_costs_twenty_passes_at_most(encoder: torch.nn.Module) -> None:
    for length in (3, 16, 17, 32):
        subject = subject_of(encoder, torch.arange(length) % 11)
        passes = counted(subject, Measured())
        assert passes <= Measured().passes(subject) <= 20


def counted(subject: Subject, method: Measured) -> int:
    """Rows that the model reads, a backward pass as two more."""
    assert isinstance(subject, Tokens)
    rows: list[int] = []

    def tell(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], out: object) -> None:
        rows.append(len(inputs[0]) + (2 if torch.is_grad_enabled() else 0))

    hook = subject.reader.model.register_forward_hook(tell)
    method.scores(subject)
    hook.remove()
    return sum(rows)


@pytest.mark.parametrize("subject", ["encoder", "decoder"], indirect=True)
def test_changed_rules_change_gradients_and_no_answers(subject: Tokens) -> None:
    from heedful.explanations.rules.rules import Rules

    plain = subject.of_features(subject.features[None])
    for rules in (Rules(frozen_norms=True), Rules(values_only=True), Rules(temperature=2.0), Rules(shares=(0.25, 0.25, 0.5))):
        with subject.ruled(rules):
            torch.testing.assert_close(subject.of_features(subject.features[None]), plain)
        torch.testing.assert_close(subject.of_features(subject.features[None]), plain, rtol=0, atol=0)
    scores = [method.scores(subject) for method in (InputGradient(), Quick(), Interactions())]
    assert all((a - b).abs().max() > 1e-6 for a, b in pairwise(scores))
    gim = Interactions(temperature=1.0, shares=(1.0, 1.0, 1.0)).scores(subject)
    assert not torch.allclose(gim, scores[2])


def test_a_contrast_is_the_difference_of_two_explanations(encoder: torch.nn.Module, ids: torch.Tensor) -> None:
    both = subject_of(encoder, ids, None, "yes", "no")
    ours, theirs = subject_of(encoder, ids, None, "yes"), subject_of(encoder, ids, None, "no")
    for method in (InputGradient(), Occlusion(), IntegratedGradients(8), Quick(), Interactions()):
        torch.testing.assert_close(method.scores(both), method.scores(ours) - method.scores(theirs))


def test_too_many_places_are_refused_with_the_reason(encoder: torch.nn.Module) -> None:
    from heedful.explanations.methods.flow import Flow
    from heedful.models.classifiers import build_classifier
    from heedful.spec import EncoderSpec

    model = build_classifier(EncoderSpec(vocabulary=11, labels=("a", "b"), context=4096, width=8, layers=1, heads=1)).eval()
    long = subject_of(model, torch.zeros(MOST + 1, dtype=torch.long))
    assert "up to 2048" in (Interactions().why_not(long) or "")
    assert "rollout at any length" in (Flow().why_not(long) or "")
    assert Quick().why_not(long) is None


def test_a_text_read_in_windows_is_explained_whole() -> None:
    from heedful.explanations.methods.attention import Attention
    from heedful.explanations.methods.rollout import Rollout
    from heedful.models.classifiers import build_classifier
    from heedful.spec import EncoderSpec

    torch.manual_seed(0)
    model = build_classifier(EncoderSpec(vocabulary=11, labels=("a", "b"), context=8, width=16, layers=1, heads=2)).double().eval()
    model.windowed = True
    subject = subject_of(model, torch.arange(19) % 11)
    assert isinstance(subject, Tokens)
    both = torch.stack([subject.features, subject.features.flip(0)])
    with torch.no_grad():
        found = subject.of_features(both)
        turned = float(subject.asked(subject.ids.flip(0)[None])[0])
    assert float(found[0]) == pytest.approx(float(subject.scored(subject.whole())[0]))
    assert float(found[1]) == pytest.approx(turned)
    assert Quick().scores(subject).abs().min() > 0
    assert float(Attention().scores(subject).sum()) == pytest.approx(1.0)
    assert "windows of 8 tokens" in (Rollout().why_not(subject) or "")
