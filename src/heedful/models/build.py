"""From a spec to the model it describes."""

from __future__ import annotations

from heedful.models.decoder import Decoder
from heedful.models.language_model import LanguageModel
from heedful.models.recurrent import RecurrentLM
from heedful.spec.model import DecoderSpec, ModelSpec


def build(spec: ModelSpec) -> LanguageModel:
    """The language model of this spec, freshly started from torch's generator.

    >>> from heedful.spec import RecurrentSpec
    >>> type(build(RecurrentSpec(vocabulary=9, embedding=4, hidden=4))).__name__
    'RecurrentLM'
    """
    return Decoder(spec) if isinstance(spec, DecoderSpec) else RecurrentLM(spec)
