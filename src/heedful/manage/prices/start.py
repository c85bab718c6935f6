"""What attention takes in a layer before any head is computed, found beside the rest of a model of the kind.

Measured by itself a call is too quick, or too slow where something else is read in between: what the rest of a model leaves of the
processor's caches is neither all nor nothing. A call that comes first in a layer took half a millisecond more behind the products of 1,024
tokens than behind itself, a step half as long within a model as behind 4 MiB of other reading.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.cost.measure import Patience, medians
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.ours import change
from heedful.manage.apply.quick import Quick
from heedful.manage.options.table import parse
from heedful.manage.prices.price import Kind
from heedful.manage.prices.stopwatch import Stopwatch, clock
from heedful.manage.prices.work import Passes, Setting
from heedful.manage.watch import sites
from heedful.models.build import build
from heedful.models.decoder import Decoder, DecoderCache
from heedful.spec.model import DecoderSpec

PROMPT, STEPS = 64, 48
FEW, NARROW = "streaming(28,4)", "window(16,0)"
BETWEEN = 1024  # tokens
WIDEST, DEEPEST = 512, 12  # of the model


@final
@dataclass(slots=True)
class Timed:
    """The steps of a layer with the seconds they take, the choice of the way among them."""

    inner: Quick
    device: str
    seconds: float = 0.0

    def why_not(self, q: Float[Tensor, "b h 1 d"], cache: RaggedCache) -> str | None:
        """As the layer's own."""
        began = clock(self.device)()
        found = self.inner.why_not(q, cache)
        self.seconds += clock(self.device)() - began
        return found

    def stepped(self, q: Tensor, k: Tensor, v: Tensor, cache: RaggedCache) -> Float[Tensor, "b h 1 v"]:
        """As the layer's own."""
        began = clock(self.device)()
        out = self.inner.stepped(q, k, v, cache)
        self.seconds += clock(self.device)() - began
        return out

    def taken(self) -> float:
        """Milliseconds since this was last asked."""
        found, self.seconds = 1e3 * self.seconds, 0.0
        return found


@torch.inference_mode()
def entered(kind: Kind, setting: Setting) -> float:
    """Milliseconds that the first call of a layer takes more in a pass, behind other layers over a text, than by itself."""
    watch, tokens = Stopwatch(setting.device), min(setting.length, BETWEEN)
    model, ids = small(kind, replace(setting, layers=1), tokens), torch.zeros(1, tokens, dtype=torch.long, device=setting.device)
    work = Passes(kind, setting, watch).work(parse(NARROW), 1, most=1)

    def behind() -> None:
        with watch.aside():
            model(ids)
        work.run()

    alone, within = medians([work.run, behind], Patience(seconds=0.5, rounds=9, most=40), watch)
    return max(0.0, within - alone)


@torch.inference_mode()
def started(kind: Kind, setting: Setting) -> float:
    """Milliseconds of a layer's step with one key/value head that keeps next to nothing: the median over layers and tokens."""
    model = small(kind, setting, 2 * PROMPT + STEPS)
    found = sites(model)
    names = [[FEW] * kind.ratio + ["drop"] * (kind.heads - kind.ratio)] * len(found)
    ids = torch.zeros(setting.batch, PROMPT, dtype=torch.long, device=setting.device)
    with ExitStack() as stack:
        change(model, found, names, 0, stack)
        watches = [watched(model.get_submodule(each.name), setting.device) for each in found]
        cache = model.new_cache()
        model(ids, cache=cache)
        taken = [watch.taken() for _ in range(STEPS) for watch in stepped(model, ids[:, :1], cache, watches)]
    return median(taken[len(watches) :])


def stepped(model: Decoder, ids: Tensor, cache: DecoderCache, watches: list[Timed]) -> list[Timed]:
    """The watches after one more token."""
    for watch in watches:
        watch.taken()
    model(ids, cache=cache)
    return watches


def watched(layer: object, device: str) -> Timed:
    """The watch that stands in a layer's steps."""
    assert isinstance(layer, PlannedAttention)
    assert isinstance(layer.quick, Quick)
    watch = Timed(layer.quick, device)
    layer.quick = watch
    return watch


def small(kind: Kind, setting: Setting, context: int) -> Decoder:
    """A model with such heads that reads so much, as deep as the one that is planned, but for what would take long to make."""
    width = min(WIDEST, kind.heads * kind.d)
    spec = DecoderSpec(
        vocabulary=32,
        context=context,
        width=width,
        layers=max(2, min(setting.layers, DEEPEST)),
        heads=kind.heads,
        kv_heads=kind.kv_heads,
        head_dim=kind.d,
    )
    model = build(spec).to(setting.device, setting.dtype).eval()
    assert isinstance(model, Decoder)
    return model
