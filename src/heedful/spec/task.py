"""A whole run: the task, its data, its model and its training, as one file says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from heedful.spec.audio import SpeechDataSpec
from heedful.spec.captioner import CaptionSpec
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.check import SpecError, require
from heedful.spec.classifier import ClassifierSpec
from heedful.spec.data import DataSpec
from heedful.spec.images import ImageDataSpec, SceneDataSpec
from heedful.spec.interactions import LogDataSpec
from heedful.spec.listener import ListenerSpec
from heedful.spec.matcher import MatcherSpec
from heedful.spec.model import DecoderSpec, ModelSpec
from heedful.spec.moving import MovingDataSpec, TrackerSpec
from heedful.spec.pairs import PairSpec
from heedful.spec.questions import QuestionSpec
from heedful.spec.ranker import RankerSpec
from heedful.spec.seq2seq import TranslatorSpec
from heedful.spec.train import TrainSpec
from heedful.spec.vision import VisionSpec

VERSION = 1
Task = Literal["generate", "classify", "image", "translate", "summarise", "match", "recommend", "caption", "speech"]
RunModel = ModelSpec | ClassifierSpec | VisionSpec | TranslatorSpec | MatcherSpec | RankerSpec | CaptionSpec | TrackerSpec | ListenerSpec
# told apart by `kind` where there are several
RunData = (
    DataSpec | ImageDataSpec | SceneDataSpec | PairSpec | QuestionSpec | LogDataSpec | CaptionDataSpec | MovingDataSpec | SpeechDataSpec
)


@dataclass(frozen=True)
class RunSpec:
    """What `heedful train` needs to know, and what a run folder remembers.

    >>> RunSpec(train=TrainSpec(steps=10)).model.kind
    'transformer'
    """

    version: int = VERSION
    task: Task = "generate"
    data: RunData = field(default_factory=DataSpec)
    model: RunModel = field(default_factory=DecoderSpec)
    train: TrainSpec = field(default_factory=TrainSpec)

    def __post_init__(self) -> None:
        newer = f"version {self.version} is newer than this Heedful reads ({VERSION}): upgrade Heedful"
        require(self.version <= VERSION, "version", newer)
        require(self.version >= 1, "version", f"must be 1 to {VERSION}, found {self.version}")

    @property
    def texts(self) -> DataSpec:
        """The data, if it is text; `SpecError` if it is of another kind."""
        if not isinstance(self.data, DataSpec):
            raise SpecError("data.kind", f"wants text for the task {self.task}, found {self.data.kind}")
        return self.data
