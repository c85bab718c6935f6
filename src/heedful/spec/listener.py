"""What a model that hears and writes is made of: convolutions, an encoder, a decoder that looks back, and counting by frames (CTC)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.check import one_of, positive, require, within

Looking = Literal["plain", "location", "monotonic"]


@dataclass(frozen=True)
class LSTMHearingSpec:
    """An LSTM over frames, `hidden` wide, from both sides, or (`causal`) from the past alone.

    >>> LSTMHearingSpec(hidden=64).width
    128
    """

    kind: Literal["lstm"] = "lstm"
    hidden: int = 96
    layers: int = 2
    causal: bool = False

    def __post_init__(self) -> None:
        positive({"hidden": self.hidden, "layers": self.layers})

    @property
    def width(self) -> int:
        """Of what comes out."""
        return self.hidden if self.causal else 2 * self.hidden


@dataclass(frozen=True)
class ConformerSpec:
    """Blocks of attention and convolution over frames, `width` wide; `kernel` frames are convolved.

    `causal` hears the past alone, as a stream needs, and attends to the last `window` frames of it (None: all).

    >>> ConformerSpec(causal=True, window=50).width
    96
    """

    kind: Literal["conformer"] = "conformer"
    width: int = 96
    layers: int = 3
    heads: int = 4
    kernel: int = 9
    inner: int | None = None
    causal: bool = False
    window: int | None = None

    def __post_init__(self) -> None:
        positive({"width": self.width, "layers": self.layers, "heads": self.heads, "kernel": self.kernel, "inner": self.inner})
        positive({"window": self.window})
        require(self.width % (2 * self.heads) == 0, "heads", f"must divide width ({self.width}) into even parts, found {self.heads}")
        require(self.kernel % 2 == 1, "kernel", f"must be odd, found {self.kernel}")
        require(self.window is None or self.causal, "window", "is for a stream: causal: true would work")


@dataclass(frozen=True)
class SpellerSpec:
    """A recurrent decoder that looks at what was heard before each word: by content (plain), also by where it looked before
    (location: `filters` of `reach` frames over the weights before), or never back (monotonic). Location with `onward` looks at no frame
    that is not so many behind the one it looked at the most the step before.

    >>> SpellerSpec(look="monotonic").hidden
    128
    """

    kind: Literal["recurrent"] = "recurrent"
    embedding: int = 64
    hidden: int = 128
    look: Looking = "location"
    filters: int = 8
    reach: int = 15
    onward: int | None = None

    def __post_init__(self) -> None:
        positive({"embedding": self.embedding, "hidden": self.hidden, "filters": self.filters, "reach": self.reach})
        require(self.onward is None or self.onward >= 0, "onward", f"must not be negative, found {self.onward}")
        require(self.onward is None or self.look == "location", "onward", f"is for look: location, found {self.look}")
        require(self.reach % 2 == 1, "reach", f"must be odd, found {self.reach}")
        one_of("look", self.look, get_args(Looking))


@dataclass(frozen=True)
class TransformerSpellerSpec:
    """A transformer decoder, as wide as what was heard.

    >>> TransformerSpellerSpec().layers
    2
    """

    kind: Literal["transformer"] = "transformer"
    layers: int = 2
    heads: int = 4

    def __post_init__(self) -> None:
        positive({"layers": self.layers, "heads": self.heads})


@dataclass(frozen=True)
class ListenerSpec:
    """Frames of `bands` (0: as many as the data has) in, a text of at most `context` tokens out.

    `stem` are the channels of convolutions that each halve time and bands. `ctc` is the share of the loss that counts tokens frame by
    frame, `searched` its share in a search. Three things go by a whole recording, and so not with a stream: `centred` takes its mean
    out of its frames, `depth` lets no band be softer than so many dB below its loudest one, and `quiet` leaves out what lies before the
    first and behind the last frame that is at most so many dB softer than its loudest.

    >>> ListenerSpec().strides
    4
    """

    kind: Literal["listener"] = "listener"
    vocabulary: int = 0
    context: int = 32
    bands: int = 0
    stem: tuple[int, ...] = (32, 32)
    encoder: ConformerSpec | LSTMHearingSpec = field(default_factory=ConformerSpec)
    decoder: SpellerSpec | TransformerSpellerSpec = field(default_factory=SpellerSpec)
    ctc: float = 0.3
    searched: float = 0.3
    centred: bool = False
    depth: float | None = None
    quiet: float | None = None
    dropout: float = 0.1

    def __post_init__(self) -> None:
        positive({"context": self.context})
        require(self.vocabulary >= 0, "vocabulary", f"must not be negative, found {self.vocabulary}")
        require(self.bands >= 0, "bands", f"must not be negative, found {self.bands}")
        require(bool(self.stem) and min(self.stem) > 0, "stem", "must have one width or more, all above 0")
        require(0 <= self.ctc <= 1, "ctc", f"must lie in [0, 1], found {self.ctc:g}")
        require(0 <= self.searched <= 1, "searched", f"must lie in [0, 1], found {self.searched:g}")
        require(self.ctc > 0 or self.searched == 0, "searched", "must be 0 where ctc is: what was not learnt cannot help a search")
        positive({"depth": self.depth, "quiet": self.quiet})
        for name, asked in (("centred", self.centred), ("depth", self.depth), ("quiet", self.quiet)):
            require(not (asked and self.encoder.causal), name, "wants the whole recording, which a causal encoder never has")
        within({"dropout": self.dropout}, 0.0, 1.0)
        if isinstance(self.decoder, TransformerSpellerSpec):
            fits = self.encoder.width % (2 * self.decoder.heads) == 0
            require(
                fits, "decoder.heads", f"must divide the encoder's width ({self.encoder.width}) into even parts, found {self.decoder.heads}"
            )

    @property
    def strides(self) -> int:
        """How many frames become one."""
        return int(2 ** len(self.stem))
