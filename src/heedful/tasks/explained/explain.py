"""`heedful.explain`: why a model says what it says of an input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from torch import nn

from heedful.errors import UsageError
from heedful.explanations.explanation import Explanation, explained
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.table import AUTO, default_for, find_method
from heedful.explanations.subject import Subject
from heedful.tasks.explained.subjects import subject_of


@overload
def explain(
    model: nn.Module, inputs: list[str], *, tokenizer: Any = ..., target: Any = ..., contrast: Any = ..., method: str | Method = ...
) -> list[Explanation]: ...
@overload
def explain(
    model: nn.Module, inputs: Any, *, tokenizer: Any = ..., target: Any = ..., contrast: Any = ..., method: str | Method = ...
) -> Explanation: ...
def explain(
    model: nn.Module,
    inputs: Any,
    *,
    tokenizer: Any = None,
    target: Any = None,
    contrast: Any = None,
    method: str | Method = AUTO,
) -> Explanation | list[Explanation]:
    """Why a model answers as it does: a score for each token of the input, and ways to test it.

    >>> import torch, heedful
    >>> from heedful.models.classifiers import build_classifier
    >>> from heedful.spec import EncoderSpec
    >>> model = build_classifier(EncoderSpec(vocabulary=11, labels=("no", "yes"), width=16, layers=1))
    >>> found = heedful.explain(model, torch.tensor([3, 1, 4, 1, 5]), target="yes", method="relevance")
    >>> found.scores.shape, found.tokens, found.subject.answer
    (torch.Size([5]), ('3', '1', '4', '1', '5'), 'yes')

    Arguments:
        model: a classifier, a language model, a model of pictures or one that writes one text for another, of ours, or one of Hugging
            Face's classifiers, causal or masked language models.
        inputs: a text; its tokens (t,); a picture (c, h, w); a source, or `{"source": ..., "written": ...}`; a Hugging Face batch of one
            row; a list of texts, for a list of explanations; or a `heedful.explanations.subject.Subject`, which brings its own model.
        tokenizer: the model's own, where texts are given.
        target: the class, or the text that follows (a number for a token); the likeliest unless given. Of a text that was written, one
            of its words or its number from 1; all of it unless given. Of boxes, a class or the number of the box.
        contrast: what the target is held against: why this and not that; scores are then changes of the difference of log p.
        method: a name of the table (`heedful explain --help`), "auto" for the default, or a method with options of its own.

    Errors: `UsageError` for unknown names and inputs of another form, `Unsupported` with the reason where a method cannot serve.
    """
    if isinstance(inputs, list | tuple) and inputs and all(isinstance(each, str) for each in inputs):
        return [by_method(subject_of(model, each, tokenizer, target, contrast), method) for each in texts(inputs)]
    if isinstance(inputs, Path):
        raise UsageError(f"{inputs}: a text, not a file, is explained: its contents would work")
    return by_method(subject_of(model, inputs, tokenizer, target, contrast), method)


def by_method(subject: Subject, method: str | Method) -> Explanation:
    """The explanation by a method, by its name, or by the default."""
    if isinstance(method, Method):
        return explained(subject, method)
    return explained(subject, default_for(subject) if method == AUTO else find_method(method))


def texts(inputs: Sequence[Any]) -> list[str]:
    """Inputs that are all texts."""
    return [str(each) for each in inputs]
