"""Floor 0: frozen dataclasses, one source for Python, the command line, files and checkpoints."""

from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.check import SpecError
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec, ModelSpec, RecurrentSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec

__all__ = [
    "AttentionSpec",
    "DataSpec",
    "DecoderSpec",
    "MechanismSpec",
    "ModelSpec",
    "RecurrentSpec",
    "RunSpec",
    "SpecError",
    "TrainSpec",
]
