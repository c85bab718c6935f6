"""From a spec to the model it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.decoder import Decoder
from heedful.models.language_model import LanguageModel
from heedful.models.recurrent import RecurrentLM
from heedful.spec.model import DecoderSpec, RecurrentSpec
from heedful.spec.task import RunModel


def build(spec: RunModel) -> LanguageModel:
    """The language model of this spec, freshly started from torch's generator.

    >>> from heedful.spec import RecurrentSpec
    >>> type(build(RecurrentSpec(vocabulary=9, embedding=4, hidden=4))).__name__
    'RecurrentLM'
    """
    if isinstance(spec, DecoderSpec):
        return Decoder(spec)
    if isinstance(spec, RecurrentSpec):
        return RecurrentLM(spec)
    raise UsageError(f"model.kind is {spec.kind}, which classifies: a language model is a transformer or recurrent")
