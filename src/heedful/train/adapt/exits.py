"""Early exits: translations learnt from the last layer, and the lowest threshold at which a bound on the loss holds.

Thresholds are tried from the strictest down and the first that fails ends it (fixed-sequence testing, Angelopoulos et al. 2021,
arXiv 2110.01052, §2.2), so that each bound keeps its level however many are tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from heedful.cost.measure import Patience, minima
from heedful.errors import Unsupported
from heedful.manage.objective import Batch, following
from heedful.manage.verify.bound import Bound, upper_bound
from heedful.models.decoder import Decoder
from heedful.models.early_exit import confidence, full
from heedful.models.encoder import Encoder
from heedful.spec.exits import ExitSpec
from heedful.spec.model import DecoderSpec

M = TypeVar("M", bound=Decoder | Encoder)
QUICK: Final = Patience(seconds=0.1, rounds=5)
GRID: Final = tuple(round(1.0 - 0.02 * step, 2) for step in range(1, 46))  # .98 down to .10


def with_exits(model: M, after: Sequence[int]) -> M:
    """A copy of the model with exits that no token takes yet.

    Raises `Unsupported` for a model that has exits, and for an adaptive softmax, which has no scores to be sure by.
    """
    if model.exits is not None:
        raise Unsupported("the model has exits already: the run it was adapted from would work")
    if isinstance(model.spec, DecoderSpec) and model.spec.adaptive:
        raise Unsupported("an adaptive softmax computes the likely words alone: adaptive: [] would work")
    made = with_spec(model, ExitSpec(tuple(after), 1.0))
    made.load_state_dict(model.state_dict(), strict=False)
    return cast(M, made.to(next(model.parameters()).device).eval())


def with_spec(model: Decoder | Encoder, exits: ExitSpec) -> Decoder | Encoder:
    """A new model of the same sizes with these exits."""
    if isinstance(model, Encoder):
        return Encoder(replace(model.spec, exits=exits))
    return Decoder(replace(model.spec, exits=exits))


def learning(model: Decoder | Encoder) -> list[nn.Parameter]:
    """The translations."""
    assert model.exits is not None
    return list(model.exits.parameters())


def alike(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """The mean KL, over exits and places, of the last layer's answer from an exit's."""
    assert isinstance(model, Decoder | Encoder)
    *exits, end = answers(model, batch)
    last = end.detach().float().log_softmax(-1)
    each = [kl_div(logits.float().log_softmax(-1), last, reduction="sum", log_target=True) / last[..., 0].numel() for logits in exits]
    return torch.stack(each).mean()


def answers(model: Decoder | Encoder, batch: Batch) -> list[Tensor]:
    """The logits (b, t, c) of every exit and of the end; a text that is classified is one place."""
    assert model.exits is not None
    if isinstance(model, Encoder):
        return [said[:, None] for said in model.answers(batch["ids"], batch.get("lengths"))]
    return full(model.exits, model.layers, model.embedded(batch["input_ids"], 0), model.said)


@dataclass(frozen=True, eq=False)
class Measured:
    """Of one sequence, by exit (the end last): nats of the true token and how sure the exit was, at each place."""

    nats: Float[np.ndarray, "e t"]
    sure: Float[np.ndarray, "e t"]

    def taken(self, threshold: float) -> np.ndarray:
        """Which exit each place takes."""
        sure = np.concatenate([self.sure[:-1] >= threshold, np.ones((1, self.sure.shape[1]), dtype=bool)])
        return np.asarray(sure.argmax(0))

    def lost(self, threshold: float) -> np.ndarray:
        """Nats that each place loses."""
        return np.asarray(self.nats[self.taken(threshold), np.arange(self.nats.shape[1])] - self.nats[-1])

    def only(self, exits: Sequence[int]) -> Measured:
        """The same with some of the exits."""
        rows = [*exits, len(self.nats) - 1]
        return Measured(self.nats[rows], self.sure[rows])


@torch.no_grad()
def measured(model: Decoder | Encoder, batches: Iterable[Batch]) -> list[Measured]:
    """Every sequence of the batches."""
    model.eval()
    found = []
    for batch in batches:
        labels = batch["labels"] if "labels" in batch else following(batch["input_ids"])
        labels = labels[:, None] if labels.dim() == 1 else labels
        logits = answers(model, batch)
        nats = torch.stack(
            [cross_entropy(each.flatten(0, 1).float(), labels.flatten(), reduction="none").view(labels.shape) for each in logits]
        )
        sure = torch.stack([confidence(each) for each in logits])
        for row in range(len(labels)):
            places = labels[row] >= 0
            found.append(Measured(nats[:, row, places].double().cpu().numpy(), sure[:, row, places].double().cpu().numpy()))
    return found


@dataclass(frozen=True)
class Calibrated:
    """A threshold, the loss at it with its bound, and how many layers a token passes on average."""

    threshold: float
    bound: Bound
    layers: float
    checks: float = 0.0  # exits a token is asked at


def at(found: Sequence[Measured], threshold: float, depths: Sequence[int]) -> Calibrated:
    """What a threshold loses and saves; `depths` are the layers behind each exit and the end."""
    sums = np.array([each.lost(threshold).sum() for each in found])
    counts = np.array([float(each.nats.shape[1]) for each in found])
    taken = np.concatenate([each.taken(threshold) for each in found])
    checks = np.minimum(taken + 1, len(depths) - 1).mean()
    return Calibrated(threshold, upper_bound(sums, counts), float(np.asarray(depths)[taken].mean()), float(checks))


def calibrated(found: Sequence[Measured], epsilon: float, depths: Sequence[int]) -> Calibrated | None:
    """The lowest threshold before the first whose bound exceeds epsilon; None where the strictest does.

    A threshold at which too few sequences lose anything for a bound to be finite is passed over, not taken.
    """
    best = None
    for threshold in GRID:
        here = at(found, threshold, depths)
        if math.isinf(here.bound.upper):
            continue
        if here.bound.upper > epsilon:
            break
        best = here
    return best


@dataclass(frozen=True)
class Selected:
    """The exits that are worth their checks, by their number, the threshold, and a token's cost in layers."""

    exits: tuple[int, ...]
    calibrated: Calibrated
    cost: float


def selected(found: Sequence[Measured], epsilon: float, depths: Sequence[int], check: float) -> Selected | None:
    """The subset of the exits at which a token costs least; a check costs as much as `check` layers. None where no threshold holds."""
    options = []
    places = range(len(depths) - 1)
    for exits in (subset for size in range(1, len(depths)) for subset in combinations(places, size)):
        best = calibrated([each.only(exits) for each in found], epsilon, [*(depths[number] for number in exits), depths[-1]])
        if best is not None:
            options.append(Selected(exits, best, best.layers + check * best.checks))
    return min(options, key=lambda option: option.cost, default=None)


def kept(model: M, exits: Sequence[int], threshold: float) -> M:
    """The model with some of its exits, which tokens take at this threshold."""
    assert model.exits is not None
    after = tuple(model.exits.after[number] for number in exits)
    made = with_spec(model, ExitSpec(after, threshold))
    assert made.exits is not None
    made.load_state_dict({name: tensor for name, tensor in model.state_dict().items() if not name.startswith("exits.")}, strict=False)
    for place, number in enumerate(exits):
        made.exits.translations[place].load_state_dict(model.exits.translations[number].state_dict())
    return cast(M, made.to(next(model.parameters()).device).eval())


@torch.inference_mode()
def check_cost(model: Decoder, length: int) -> float:
    """How many layers a check takes the time of, in a step behind `length` tokens."""
    assert model.exits is not None
    exits, layer = model.exits, model.layers[0]
    cache = model.new_cache().blocks[0]
    width = model.spec.width
    layer(torch.randn(1, length, width), cache=cache)
    x = torch.randn(1, 1, width)
    pass_, check = minima([lambda: layer(x, cache=cache), lambda: exits.sure(model.said(exits.translated(0, x)))], QUICK)
    return check / pass_
