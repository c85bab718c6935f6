"""What the class of a picture rests on: maps over it, what the gates opened, and how each head looked; as data and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.markup import Markup
from heedful.explanations.page import Section, page
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.overlay import Cover, Laying, cells, overlay
from heedful.explanations.parts.photograph import photograph
from heedful.explanations.parts.table import table
from heedful.explanations.parts.thumbnail import gallery
from heedful.models.vision.picture_model import PictureOutput
from heedful.tasks.image.classes.answer import Classified
from heedful.tasks.image.classes.maps import on_features, on_pixels, rollout
from heedful.tasks.image.classes.opened import Opening, described, watched
from heedful.tasks.looked import index
from heedful.tasks.task import Explanation, Record, View

CAUTION: Final = "A map says where the model looked, or what its score depends on nearby; neither proves why this class was chosen."
MOST: Final = 64  # patches up to which every head is drawn
ABOUT: Final = {
    "rollout": "Attention through all layers (where it looked).",
    "attention": "Attention of the layer and head asked for.",
    "features": "Last feature maps times the gradient of the class.",
    "pixels": "Gradient of the class on pixels, averaged over small disturbances.",
}


def explained(answer: Classified, view: View) -> Explanation:
    """Classify the picture with all weights kept, and say which places counted and what the gates opened."""
    with watched(answer.loaded.model) as openings:
        output = answer.output(trace=True)
    record = dict(answer.record())
    label = answer.loaded.model.labels.index(record["label"])
    maps = {
        **looked(output, view),
        "features": on_features(answer.loaded.model, answer.x, label),
        "pixels": on_pixels(answer.loaded.model, answer.x, label),
    }
    record["maps"] = {name: place(found) for name, found in maps.items()}
    record["gates"] = [described(opening, view.top) for opening in openings]
    return Explanation(record, shown(answer, record, maps, openings, output, view))


def looked(output: PictureOutput, view: View) -> dict[str, Float[Tensor, "y x"]]:
    """The map of attention: rolled out, or of the layer and head asked for; none for a model without attention."""
    if not output.traces:
        if view.layer is not None or view.head is not None:
            raise UsageError("this model has no layers that attend: without --layer and --head it would work")
        return {}
    assert output.pooled is not None
    pooled = output.pooled[0]
    if view.layer is None and view.head is None:
        return {"rollout": squared(rollout(output.traces, pooled))}
    layers = [trace.weights[0].double() for trace in output.traces]
    picked = layers if view.layer is None else [layers[index("layer", view.layer, len(layers))]]
    if view.head is not None:
        picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
    return {"attention": squared(torch.stack([pooled.double() @ weights.mean(0) for weights in picked]).mean(0))}


def squared(row: Float[Tensor, " t"]) -> Float[Tensor, "y x"]:
    """Patches in reading order as a map."""
    side = round(len(row) ** 0.5)
    return row.view(side, side)


def place(found: Float[Tensor, "y x"]) -> dict[str, Any]:
    """Where a map is largest, as shares of the sides, and its rows."""
    height, width = found.shape
    row, column = divmod(int(found.argmax()), width)
    share = found / found.sum().clamp(min=1e-12)
    rows = [[round(value, 4) for value in line] for line in share.tolist()] if height <= 32 else None
    return {"peak": [round((column + 0.5) / width, 4), round((row + 0.5) / height, 4)], "rows": rows}


def shown(
    answer: Classified, record: Record, maps: dict[str, Tensor], openings: Sequence[Opening], output: PictureOutput, view: View
) -> str:
    """The page: the picture under each of the maps, the classes, the gates, and every head of a picture of few patches."""
    pixels = answer.picture.pixels
    pictures = [photograph(pixels, "the picture", note=str(record["image"]))]
    pictures += [
        overlay(pixels, [Cover(name, found.float())], name, Laying(cells(*found.shape), about=ABOUT[name])) for name, found in maps.items()
    ]
    likely = table(("class", "probability"), [(name, share) for name, share in record["probabilities"].items()], "The likeliest classes")
    said = f"{record['label']} ({record['confidence']:.1%})" + (f"; it is {record['truth']}" if "truth" in record else "")
    sections = [Section("What counted", said, [gallery(pictures, large=True)], "maps"), Section("How sure", "", [likely], "classes")]
    if openings:
        lead = "How far each gate opens for this picture: its widest open channels, and its places."
        sections.append(Section("Gates", lead, [part for each in openings for part in drawn(each, pixels, view.top)], "gates"))
    if output.traces and output.traces[0].weights.shape[-1] <= MOST:
        layers = [Layer(trace.name, trace.weights[0].float().cpu()) for trace in output.traces]
        side = answer.loaded.model.context
        names = [f"patch {i + 1}" for i in range(side)]
        sections.append(
            Section("Every head", "Rows read, columns are read; patches in reading order.", [heads(layers, names, names)], "heads")
        )
    return page("What the model saw", CAUTION, sections, f"{answer.loaded.run.path}")


def drawn(opening: Opening, pixels: Tensor, top: int) -> list[Markup]:
    """One gate: bars for its channels, the picture under its places."""
    parts: list[Markup] = []
    title = f"{opening.name} ({opening.kind})"
    if opening.channels is not None:
        order = opening.channels.argsort(descending=True).tolist()[:top]
        parts.append(bars([Bar(f"channel {i}", float(opening.channels[i])) for i in order], title))
    if opening.places is not None:
        parts.append(gallery([photograph(pixels, title, opening.places - opening.places.min(), "Above its least open place;")]))
    return parts
