"""Where each word was heard: the attention of every word over the seconds of a recording, as data, a page and a picture.

Weights say what was read, not why a word was chosen (Jain & Wallace 2019, arXiv 1902.10186); pictures as in Chan et al. 2016, figure 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from heedful.data.audio.logmel import frames_of, log_mel
from heedful.errors import UsageError
from heedful.explanations.markup import Markup
from heedful.explanations.page import Section, page
from heedful.explanations.parts.axes import Axes
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.heatmap import Style, heatmap
from heedful.explanations.parts.overlay import Cover, Laying, overlay
from heedful.explanations.parts.table import table
from heedful.layers.trace import Trace
from heedful.models.speech.speller import Spelt
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.sounds import why_heard
from heedful.tasks.explained.spectra import axes_of, spectrogram
from heedful.tasks.looked import index
from heedful.tasks.speech.answer import Transcribed, told
from heedful.tasks.speech.monotonicity import centre, forward_share
from heedful.tasks.speech.picture import draw
from heedful.tasks.task import Explanation, View
from heedful.tasks.translate.units import Unit, units

CAUTION: Final = "The weights say which seconds each word was read from; they do not prove why the word was chosen."
MOST: Final = 128  # frames up to which every head is drawn


def explained(answer: Transcribed, view: View) -> Explanation:
    """Transcribe the recording, and say where each word looked, and whether it goes forward."""
    if not of_weights_alone(view):
        return why_heard(answer, view)
    best = answer.hypotheses[0]
    if not best.ids:
        raise UsageError(f"{answer.given.name}: no word was heard in it, so there is nothing to explain")
    traces = looked(answer)
    said = units(answer.loaded.tokenizer, best.ids)
    chosen_weights = chosen(traces, view)
    weights = torch.stack([chosen_weights[list(unit.places)].mean(0) for unit in said])
    record = {**answer.record(), **facts(answer, said, weights, view)}
    names = [unit.text for unit in said]
    frames, length = pictured(answer, weights.shape[1])
    axes = axes_of(length, answer.loaded.data.frames)
    over = over_recording(frames, weights, names, length, axes)
    whole = shown(answer, record, names, weights, traces, over)
    return Explanation(record, whole, lambda path: draw(frames, weights, names, length, path, axes))


def pictured(answer: Transcribed, count: int) -> tuple[Float[Tensor, "t bands"], float]:
    """The frames of a recording, filled up with silence to as many as the model's `count` stand for, and the seconds they take."""
    frames = log_mel(answer.given.wave[None], answer.loaded.data.frames)[0]
    missing = max(0, count * answer.loaded.model.spec.strides - len(frames))
    return pad(frames, (0, 0, 0, missing), value=float(frames.min())), count * answer.loaded.seconds


def over_recording(
    frames: Float[Tensor, "t bands"], weights: Float[Tensor, "n s"], names: Sequence[str], seconds: float, axes: Axes
) -> Markup:
    """The spectrogram under the stretches of time that the chosen word was read from."""
    step = seconds / weights.shape[1]
    cells = [f"{i * step:.2f} to {(i + 1) * step:.2f} s" for i in range(weights.shape[1])]
    layers = [Cover(name, row[None]) for name, row in zip(names, weights, strict=True)]
    how = Laying(cells, axes, about="Choose a word: the seconds that it was read from are shaded.")
    return overlay(spectrogram(frames), layers, "words over the recording", how)


@torch.inference_mode()
def looked(answer: Transcribed) -> tuple[Trace, ...]:
    """The weights of every layer and head over the whole recording, nothing where the model left it out."""
    model = answer.loaded.model
    ids = torch.tensor([[model.mark, *answer.hypotheses[0].ids]], device=answer.loaded.device)
    spelt: Spelt = model.speller(ids, *answer.heard, trace=True)
    frames = frames_of(torch.tensor(len(answer.given.wave)), answer.loaded.data.frames)
    whole = -(-int(frames) // model.spec.strides)
    behind = whole - answer.skipped - answer.heard.memory.shape[1]
    return tuple(replace(trace, weights=pad(trace.weights, (answer.skipped, behind))) for trace in spelt.traces)


def chosen(traces: tuple[Trace, ...], view: View) -> Float[Tensor, "t s"]:
    """The weights of the layer and head that were asked for, or their mean; a row a token."""
    layers = [trace.weights[0, :, :-1].float().cpu() for trace in traces]
    picked = layers if view.layer is None else [layers[index("layer", view.layer, len(layers))]]
    if view.head is not None:
        picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
    return torch.stack([weights.mean(0) for weights in picked]).mean(0)


def facts(answer: Transcribed, said: list[Unit], weights: Float[Tensor, "n s"], view: View) -> dict[str, Any]:
    """Where each word looked: the second it looked at in the mean and the most, and how far the look spreads; and whether it goes on."""
    step = answer.loaded.seconds
    at, peak = (centre(weights) + 0.5) * step, (weights.argmax(1) + 0.5) * step
    places = torch.arange(weights.shape[1], dtype=torch.float64)
    spread = ((weights.double() * (places - centre(weights)[:, None]) ** 2).sum(1)).sqrt() * step
    rows = [
        {"word": unit.text, "mean": round(float(at[i]), 3), "peak": round(float(peak[i]), 3), "spread": round(float(spread[i]), 3)}
        for i, unit in enumerate(said)
    ]
    weighed = [[round(value, 4) for value in row] for row in weights.tolist()]
    whose = {"layer": view.layer or "mean", "head": view.head or "mean"}
    return {**whose, "monotonic": round(forward_share(weights), 4), "looked": rows, "seconds_a_frame": step, "weights": weighed}


def shown(
    answer: Transcribed, record: dict[str, Any], names: list[str], weights: Float[Tensor, "n s"], traces: tuple[Trace, ...], over: Markup
) -> str:
    """The page: the recording under the word that is chosen, words down and seconds across, when each was said, and every head."""
    step = answer.loaded.seconds
    seconds = [f"{i * step:.2f} s" for i in range(weights.shape[1])]
    numbered = [f"{i + 1} {name}" for i, name in enumerate(names)]
    lead = f"{record['text']} - {record['monotonic']:.0%} of its steps go forward."
    parts = [
        over,
        heatmap(weights, numbered, seconds, "words over seconds", Style(about=f"{answer.given.name}, {record['seconds']:.2f} s")),
    ]
    spoken = [told(word, step) for word in answer.words]
    timed = [(each["word"], each["from"], each["to"], each["confidence"]) for each in spoken]
    sections = [Section("Where each word was heard", lead, parts, "alignment")]
    if timed:
        said = table(("word", "from (s)", "to (s)", "confidence"), timed, "By the frames' own tokens")
        sections.append(Section("When each word was said", "The likeliest way for the words to lie over the frames.", [said], "words"))
    if len(traces) > 1 and weights.shape[1] <= MOST:
        layers = [Layer(trace.name, trace.weights[0, :, :-1].float().cpu()) for trace in traces]
        tokens = [answer.loaded.tokenizer.show(i) for i in answer.hypotheses[0].ids]
        sections.append(Section("Every head", "Rows read, columns are read.", [heads(layers, tokens, seconds)], "heads"))
    return page("What was heard", CAUTION, sections, f"{answer.loaded.run.path}")
