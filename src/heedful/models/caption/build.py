"""From a spec to the model that describes pictures."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.models.caption.captioner import Captioner
from heedful.models.caption.captioning import Captioning
from heedful.models.caption.show_attend_tell import ShowAttendTell
from heedful.spec.captioner import CaptionerSpec, CaptionSpec, ShowAttendTellSpec
from heedful.spec.task import RunModel


def build_captioner(spec: RunModel) -> Captioning:
    """The model of this spec, freshly started from torch's generator.

    >>> type(build_captioner(CaptionerSpec(size=16, channels=1, vocabulary=5))).__name__
    'Captioner'

    Errors: `UsageError` for a model of something else.
    """
    asked = captioning(spec)
    return Captioner(asked) if isinstance(asked, CaptionerSpec) else ShowAttendTell(asked)


def captioning(spec: RunModel) -> CaptionSpec:
    """The spec, if it is of a model that describes pictures."""
    if isinstance(spec, CaptionerSpec | ShowAttendTellSpec):
        return spec
    raise UsageError(f"model.kind is {spec.kind}: captioner (a transformer) and show_attend_tell describe pictures")
