"""From a spec to the model it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.seq2seq.recurrent import Recurrent
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.models.seq2seq.transformer import Transformer
from heedful.spec.seq2seq import RnnSeq2SeqSpec, Seq2SeqSpec, TranslatorSpec
from heedful.spec.task import RunModel


def build_seq2seq(spec: RunModel) -> Seq2Seq:
    """The model of this spec, freshly started from torch's generator.

    >>> type(build_seq2seq(Seq2SeqSpec(vocabulary=9, width=8, layers=1))).__name__
    'Transformer'

    Errors: `UsageError` for a model that does not read one text to write another.
    """
    asked = translating(spec)
    return Transformer(asked) if isinstance(asked, Seq2SeqSpec) else Recurrent(asked)


def translating(spec: RunModel) -> TranslatorSpec:
    """The spec, if it is of a model that reads one text and writes another."""
    if isinstance(spec, Seq2SeqSpec | RnnSeq2SeqSpec):
        return spec
    raise UsageError(f"model.kind is {spec.kind}: seq2seq (a transformer) and rnn_seq2seq read one text and write another")
