"""From a spec to the model it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.decoder import Decoder
from heedful.models.language_model import LanguageModel
from heedful.models.recurrent import RecurrentLM
from heedful.spec.model import DecoderSpec, ModelSpec
from heedful.spec.task import RunModel


def build(spec: RunModel) -> LanguageModel:
    """The language model of this spec, freshly started from torch's generator.

    >>> from heedful.spec import RecurrentSpec
    >>> type(build(RecurrentSpec(vocabulary=9, embedding=4, hidden=4))).__name__
    'RecurrentLM'
    """
    asked = speaking(spec)
    return Decoder(asked) if isinstance(asked, DecoderSpec) else RecurrentLM(asked)


def speaking(spec: RunModel) -> ModelSpec:
    """The spec, if it is a language model's."""
    if not isinstance(spec, ModelSpec):
        raise UsageError(f"model.kind is {spec.kind}, for another task: a language model is a transformer or recurrent")
    return spec
