"""A study as pictures: how much each field matters, and every trial as a line through its values."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heedful.errors import MissingExtra
from heedful.train.tune.space import Choices, Space, kind_of, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from optuna.study import Study
    from optuna.trial import FrozenTrial

LONGEST = 22  # characters of a tick's label


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, drawn without a display."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "tune", "drawing a study") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The picture's bytes."""
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=110)
    return memory.getvalue()


def importances(study: Study) -> dict[str, float]:
    """The share of what the fields explain of the loss, largest first (PED-ANOVA, Watanabe et al. 2023, arXiv 2304.10255).

    Empty where there are too few finished trials, or all came to the same.
    """
    import optuna

    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if len(done) < 4 or len({trial.value for trial in done}) < 2:
        return {}
    found: dict[str, float] = optuna.importance.get_param_importances(study)
    return {name: share for name, share in found.items() if math.isfinite(share)}


def importance_figure(shares: dict[str, float], judged: str = "loss") -> Figure:
    """A bar a field."""
    figure = new_figure(7.0, 1.0 + 0.4 * max(1, len(shares)))
    axes = figure.add_subplot()
    names = list(shares)[::-1]
    bars = axes.barh(names, [shares[name] for name in names], color="#4269d0")
    axes.bar_label(bars, [f"{shares[name]:.0%}" for name in names], padding=3)
    axes.set_xlim(0, 1.1 * max(shares.values(), default=1.0) or 1.0)
    axes.set_xlabel(f"share of the variation of the {judged} that it explains")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def parallel_figure(trials: Sequence[FrozenTrial], space: Space, judged: str = "loss") -> Figure:
    """Every finished trial as a line, its loss last; the better, the darker."""
    import matplotlib

    figure = new_figure(2.2 * (len(space) + 1) + 1.5, 5.0)
    axes = figure.add_subplot()
    losses = [float(trial.value) for trial in trials if trial.value is not None]
    low, high = min(losses), max(losses)
    colours = matplotlib.colormaps["viridis"]
    for trial, loss in sorted(zip(trials, losses, strict=True), key=lambda pair: -pair[1]):
        share = 0.0 if high == low else (loss - low) / (high - low)
        heights = [height(axis, trial.params[name]) for name, axis in space.items()]
        axes.plot(
            range(len(space) + 1), [*heights, share], color=colours(0.9 * share), alpha=1.0 - 0.6 * share, linewidth=2.2 - 1.4 * share
        )
    for place, (name, axis) in enumerate(space.items()):
        ticks(axes, place, [(height(axis, value), text) for value, text in marks(axis)])
        axes.text(place, 1.06, name, ha="center", fontsize=8)
    ticks(axes, len(space), [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")])
    axes.text(len(space), 1.06, judged, ha="center", fontsize=8)
    axes.set_ylim(-0.05, 1.12)
    axes.axis("off")
    return figure


def ticks(axes: Axes, place: int, marked: Sequence[tuple[float, str]]) -> None:
    """An upright line with its marks."""
    axes.plot([place, place], [0, 1], color="0.6", linewidth=1)
    for at, text in marked:
        axes.text(place + 0.03, at, text, fontsize=7, va="center", bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1})


def height(axis: Any, value: Any) -> float:
    """Where a value stands between 0 and 1."""
    if isinstance(axis, Choices):
        labels = [label(each) for each in axis.values]
        return labels.index(value) / max(1, len(labels) - 1)
    if kind_of(axis) == "log":
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return float((value - axis.low) / (axis.high - axis.low))


def marks(axis: Any) -> list[tuple[Any, str]]:
    """The values marked on an axis, and how they are written."""
    if isinstance(axis, Choices):
        return [(label(each), short(str(label(each)))) for each in axis.values]
    return [(value, f"{value:.3g}") for value in (axis.low, axis.high)]


def short(text: str) -> str:
    """A label that fits."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
