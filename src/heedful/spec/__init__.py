"""Floor 0: frozen dataclasses, one source for Python, the command line, files and checkpoints."""

from heedful.spec.attention import AttentionSpec, MechanismSpec, SpanSpec
from heedful.spec.audio import FrameSpec, JoinSpec, SpeechDataSpec, VarySpec
from heedful.spec.budget import Budget
from heedful.spec.captioner import CaptionerSpec, ShowAttendTellSpec
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.check import SpecError
from heedful.spec.classifier import BiLSTMSpec, ClassifierSpec, EncoderSpec, LSTMCNNSpec, NgramSpec, PretrainedSpec, TextCNNSpec
from heedful.spec.data import DataSpec
from heedful.spec.images import AugmentSpec, ImageDataSpec, SceneDataSpec
from heedful.spec.listener import ConformerSpec, ListenerSpec, LSTMHearingSpec, SpellerSpec, TransformerSpellerSpec
from heedful.spec.matcher import MatcherSpec
from heedful.spec.model import DecoderSpec, ModelSpec, RecurrentSpec
from heedful.spec.moving import MovingDataSpec, TrackerSpec
from heedful.spec.pairs import PairSpec
from heedful.spec.questions import QuestionSpec
from heedful.spec.seq2seq import RnnSeq2SeqSpec, Seq2SeqSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec
from heedful.spec.vision import ConvolutionalSpec, DetectorSpec, FillerSpec, ResidualSpec, UNetSpec, VisionTransformerSpec

__all__ = [
    "AttentionSpec",
    "AugmentSpec",
    "BiLSTMSpec",
    "Budget",
    "CaptionDataSpec",
    "CaptionerSpec",
    "ClassifierSpec",
    "ConformerSpec",
    "ConvolutionalSpec",
    "DataSpec",
    "DecoderSpec",
    "DetectorSpec",
    "EncoderSpec",
    "FillerSpec",
    "FrameSpec",
    "ImageDataSpec",
    "JoinSpec",
    "LSTMCNNSpec",
    "LSTMHearingSpec",
    "ListenerSpec",
    "MatcherSpec",
    "MechanismSpec",
    "ModelSpec",
    "MovingDataSpec",
    "NgramSpec",
    "PairSpec",
    "PretrainedSpec",
    "QuestionSpec",
    "RecurrentSpec",
    "ResidualSpec",
    "RnnSeq2SeqSpec",
    "RunSpec",
    "SceneDataSpec",
    "Seq2SeqSpec",
    "ShowAttendTellSpec",
    "SpanSpec",
    "SpecError",
    "SpeechDataSpec",
    "SpellerSpec",
    "TextCNNSpec",
    "TrackerSpec",
    "TrainSpec",
    "TransformerSpellerSpec",
    "UNetSpec",
    "VarySpec",
    "VisionTransformerSpec",
]
