"""What is asked of the API and what it answers, as its OpenAPI says it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from heedful.spec.generation import Ending, Sampling
from heedful.tasks.task import Asked, View

LONG = 2**31 - 1
SEED = 2**53 - 1  # what every JSON reader can hold


def unicode(text: str) -> str:
    """A text that can be written as UTF-8; halves of surrogate pairs cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no text") from None
    return text


Text = Annotated[str, AfterValidator(unicode)]


class Strict(BaseModel):
    """A body without fields that nobody reads."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Drawing(Strict):
    """How a continuation is drawn, and where it ends; only for runs that go on with texts."""

    temperature: float = Field(default=1.0, ge=0, le=1000, allow_inf_nan=False, description="below 1 sharper, 0 the likeliest token")
    top_k: int = Field(default=0, ge=0, le=LONG, description="draw from so many likeliest tokens; 0 is off")
    top_p: float = Field(default=1.0, gt=0, le=1, description="draw from the likeliest tokens that reach this share")
    min_p: float = Field(default=0.0, ge=0, le=1, description="leave out tokens below this share of the likeliest one's")
    repetition_penalty: float = Field(default=1.0, ge=0.01, le=100, description="above 1 makes tokens that occurred less likely")
    max_tokens: int = Field(default=100, ge=0, le=LONG, description="new tokens at most")
    stop: list[Annotated[Text, Field(min_length=1)]] = Field(default=[], max_length=16, description="end before one of these would appear")
    seed: int | None = Field(default=None, ge=0, le=SEED, description="the same seed gives the same text")

    def asked(self) -> Asked:
        """The same, as tasks take it."""
        sampling = Sampling(self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty)
        return Asked(sampling, Ending(self.max_tokens, tuple(self.stop)), self.seed)


class Named(Strict):
    """Which run is asked."""

    run: Text | None = Field(default=None, max_length=200, description="the run's name; may be left out where one run is served")


class PredictBody(Named):
    """Inputs to be answered."""

    inputs: list[Text] = Field(min_length=1, description="texts")
    drawing: Drawing | None = Field(default=None, description="for runs that go on with texts")


class ExplainBody(Named):
    """An input whose answer is to be explained."""

    input: Text = Field(description="a text")
    drawing: Drawing | None = None
    layer: int | None = Field(default=None, ge=1, le=LONG, description="weights of this layer only, counted from 1")
    head: int | None = Field(default=None, ge=1, le=LONG, description="weights of this head only, counted from 1")
    method: Text | None = Field(default=None, max_length=100, description="how what counted is found, as in heedful explain --method")
    target: Text | None = Field(default=None, max_length=1000, description="the answer to explain; the likeliest if not given")
    contrast: Text | None = Field(default=None, max_length=1000, description="what it is held against")
    top: int = Field(default=8, ge=1, le=1000, description="how many tokens are listed")
    page: bool = Field(default=False, description="with the self-contained HTML page")

    def view(self) -> View:
        """The same, as tasks take it."""
        return View(self.layer, self.head, self.top, self.method, self.target, self.contrast)


class GenerateBody(Named, Drawing):
    """A text to go on with."""

    input: Text = Field(default="", description="a text")
    stream: bool = Field(default=True, description="server-sent events as tokens are made, or one object at the end")


class Predicted(BaseModel):
    """An answer for each input, in their order."""

    run: str
    answers: list[dict[str, Any]]


class Explained(BaseModel):
    """An answer and what it rests on."""

    run: str
    explanation: dict[str, Any]
    page: str | None = None


class Generated(BaseModel):
    """A continuation."""

    run: str
    answer: dict[str, Any]


class About(BaseModel):
    """A run that is served."""

    name: str
    task: str
    inputs: Literal["text", "file"]
    doors: list[str]
    facts: dict[str, Any]


class Health(BaseModel):
    """Whether the server answers."""

    status: Literal["ok"]
    version: str
    runs: list[str]


class Refusal(BaseModel):
    """Why a request was refused, in one line that says what would work."""

    error: str
