"""The methods there are."""

from __future__ import annotations

from heedful.errors import unknown
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.chance import Chance
from heedful.explanations.methods.flow import Flow
from heedful.explanations.methods.head_ablation import HeadAblation
from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.integrated_gradients import IntegratedGradients
from heedful.explanations.methods.interactions import Interactions
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.quick import Quick
from heedful.explanations.methods.relevance import Relevance
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.shapley import Shapley
from heedful.explanations.methods.value_norms import ValueNorms
from heedful.explanations.subject import Subject

METHODS: tuple[Method, ...] = (
    Quick(),
    Measured(),
    Interactions(),
    InputGradient(),
    IntegratedGradients(),
    Relevance(),
    ValueNorms(),
    Rollout(),
    Flow(),
    Attention(),
    Occlusion(),
    Shapley(),
    HeadAblation(),
    Chance(),
)
AUTO = "auto"


def find_method(name: str) -> Method:
    """The method called `name`; "auto" is the default where there are gradients (see `default_for`).

    >>> find_method("rollout")
    Rollout(residual=0.5)

    Errors: `UsageError` with the nearest right name otherwise.
    """
    if name == AUTO:
        return METHODS[0]
    for method in METHODS:
        if method.name == name:
            return method
    raise unknown("method", name, [AUTO, *(method.name for method in METHODS)])


def default_for(subject: Subject) -> Method:
    """What an input is explained by where nobody has compared methods on its model.

    The quick look, which measured best on the reviews, news and commands that methods were compared on (docs/explain.md); where no gradient
    reaches the units, deletions that are measured.
    """
    return METHODS[0] if METHODS[0].why_not(subject) is None else Measured()


def served(methods: tuple[Method, ...] = METHODS) -> tuple[str, ...]:
    """The names, for options and lists."""
    return tuple(method.name for method in methods)
