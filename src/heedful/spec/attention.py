"""How a layer attends, as names and options; the tables of the catalogue turn them into mechanisms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from heedful.spec.check import positive, require, within

Option = str | int | float | bool | None | list["Option"]


@dataclass(frozen=True)
class MechanismSpec:
    """A row of a table by name, and the constructor arguments that differ from what the row would choose.

    In a file it is written `rope`, or `{name: window, size: 64}`.

    >>> MechanismSpec("window", {"size": 64}).options["size"]
    64
    """

    name: str
    options: Mapping[str, Option] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(bool(self.name), "name", "must not be empty")


@dataclass(frozen=True)
class SpanSpec:
    """Heads that learn how far they look: from `start`, a share of the context, with weights that fall to nothing over `ramp` tokens.

    >>> SpanSpec(start=0.5).ramp
    32
    """

    start: float = 0.25
    ramp: int = 32

    def __post_init__(self) -> None:
        require(0.0 <= self.start <= 1.0, "start", f"must lie in [0, 1], found {self.start:g}")
        positive({"ramp": self.ramp})


@dataclass(frozen=True)
class AttentionSpec:
    """Every choice of one attention layer.

    `mask` is an intersection of rules (a causal model is causal whatever stands here), `position` None leaves places
    out, `softcap` bounds the scores (None: no bound), `sinks` gives each head a learnable logit that takes weight from
    the keys, `temperature` a learnable scale per head, `qk_norm` normalises queries and keys, `dropout` is the share of
    weights dropped in training, `backend` is a row of the backends' table or "auto", `span` lets each head learn how far it
    looks (None: as far as the mask).

    >>> AttentionSpec(mask=(MechanismSpec("window", {"size": 64}),)).position.name
    'rope'
    """

    score: MechanismSpec = field(default_factory=lambda: MechanismSpec("scaled_dot"))
    mask: tuple[MechanismSpec, ...] = ()
    position: MechanismSpec | None = field(default_factory=lambda: MechanismSpec("rope"))
    weighting: MechanismSpec = field(default_factory=lambda: MechanismSpec("softmax"))
    softcap: float | None = None
    sinks: bool = False
    temperature: bool = False
    qk_norm: bool = False
    dropout: float = 0.0
    backend: str = "auto"
    span: SpanSpec | None = None

    def __post_init__(self) -> None:
        positive({"softcap": self.softcap})
        within({"dropout": self.dropout}, 0.0, 1.0)
