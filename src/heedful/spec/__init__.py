"""Floor 0: frozen dataclasses, one source for Python, the command line, files and checkpoints."""

from heedful.spec.attention import AttentionSpec, MechanismSpec, SpanSpec
from heedful.spec.budget import Budget
from heedful.spec.check import SpecError
from heedful.spec.classifier import BiLSTMSpec, ClassifierSpec, EncoderSpec, LSTMCNNSpec, TextCNNSpec
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec, ModelSpec, RecurrentSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec

__all__ = [
    "AttentionSpec",
    "BiLSTMSpec",
    "Budget",
    "ClassifierSpec",
    "DataSpec",
    "DecoderSpec",
    "EncoderSpec",
    "LSTMCNNSpec",
    "MechanismSpec",
    "ModelSpec",
    "RecurrentSpec",
    "RunSpec",
    "SpanSpec",
    "SpecError",
    "TextCNNSpec",
    "TrainSpec",
]
