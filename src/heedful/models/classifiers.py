"""From a spec to the classifier it describes."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.bilstm import BiLSTM
from heedful.models.classifier import Classifier
from heedful.models.encoder import Encoder
from heedful.models.finetuned import Finetuned
from heedful.models.lstm_cnn import LSTMCNN
from heedful.models.ngram_attention import NgramAttention
from heedful.models.text_cnn import TextCNN
from heedful.spec.classifier import BiLSTMSpec, ClassifierSpec, EncoderSpec, NgramSpec, PretrainedSpec, TextCNNSpec
from heedful.spec.model import DecoderSpec, RecurrentSpec
from heedful.spec.task import RunModel

KINDS = ("encoder", "text_cnn", "bilstm_attention", "lstm_cnn", "ngram_attention", "pretrained")


def build_classifier(spec: RunModel) -> Classifier:
    """The classifier of this spec, freshly started from torch's generator.

    >>> type(build_classifier(TextCNNSpec(vocabulary=9, labels=("no", "yes")))).__name__
    'TextCNN'

    Errors: `UsageError` for a model that does not classify.
    """
    asked = classifying(spec)
    if isinstance(asked, EncoderSpec):
        return Encoder(asked)
    if isinstance(asked, TextCNNSpec):
        return TextCNN(asked)
    if isinstance(asked, BiLSTMSpec):
        return BiLSTM(asked)
    if isinstance(asked, NgramSpec):
        return NgramAttention(asked)
    if isinstance(asked, PretrainedSpec):
        return Finetuned(asked)
    return LSTMCNN(asked)


def classifying(spec: RunModel) -> ClassifierSpec:
    """The spec, if it is a classifier's."""
    if not isinstance(spec, ClassifierSpec):
        what = "a language model" if isinstance(spec, DecoderSpec | RecurrentSpec) else "for another task"
        raise UsageError(f"model.kind is {spec.kind}, {what}: {', '.join(KINDS)} classify")
    return spec
