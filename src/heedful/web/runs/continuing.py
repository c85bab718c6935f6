"""A language model that is kept open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.errors import HeedfulError
from heedful.manage.hosts.ours import layers
from heedful.spec.generation import Ending
from heedful.tasks.continuation import Continuation
from heedful.tasks.explained.following import of_weights_alone, why_next
from heedful.tasks.explained.subjects import of_language_model
from heedful.tasks.generate import Generate
from heedful.tasks.loading import Loaded, load
from heedful.tasks.looked import looked
from heedful.tasks.task import Asked, Explanation, Record, View
from heedful.web.reading import Map, Reading
from heedful.web.runs.muting import muted
from heedful.web.runs.planned import beside, chosen
from heedful.web.runs.run import ByHand, Kind, Reasons, Wanted, pair_of
from heedful.web.runs.texts import sizes
from heedful.web.runs.why import OF_TOKENS, why

LIKELY: Final = 5  # tokens that are named in the place of one that was made
MOST: Final = 1_024  # tokens of which weights are kept; the latest where there are more


@final
class OpenGenerator:
    """Texts that go on, one after the other: each draws from a seed of its own.

    Errors: those of loading a run and a plan.
    """

    task, methods = Generate.name, OF_TOKENS
    takes: Kind = "text"
    by_hand: ByHand | None = None
    goes_on, reads = True, True

    def __init__(self, path: Path, plan: Path | None = None) -> None:
        self.path, self.loaded = path, load(path)
        self.planned = beside(load, path, plan)

    @cached_property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""
        kind = self.loaded.spec.model.kind
        return None if layers(self.loaded.model) else f"this {kind} model was trained without layers that attend as we show them"

    @property
    def why_unplanned(self) -> str | None:
        """Whatever has heads can be planned."""
        return self.why_unread

    def facts(self) -> Record:
        """Sizes."""
        model = self.loaded.model
        return {"vocabulary": model.vocabulary, "context": model.context, **sizes(model), "planned": self.planned is not None}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """A continuation of each text; the n-th is drawn from the seed plus n."""
        return [self.recorded(text, Asked(asked.sampling, asked.ending, first_seed(asked) + i)) for i, text in enumerate(inputs)]

    def recorded(self, text: str, asked: Asked) -> Record | HeedfulError:
        """A continuation, or why there is none."""
        try:
            return self.answer(text, asked).record()
        except HeedfulError as error:
            return error

    def answer(self, text: str, asked: Asked) -> Continuation:
        """A continuation that comes in pieces."""
        return Continuation(self.loaded, text, asked, first_seed(asked))

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """A continuation, and where the model looked for each token; by a method, why a text goes on as it does."""
        return looked(self.answer(text, asked), view) if of_weights_alone(view) else why_next(self.loaded, text, view)

    def read(self, wanted: Wanted) -> Reading:
        """A continuation, and the weights of every head over prompt and continuation."""
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        continuation = Continuation(loaded, pair_of(wanted), wanted.asked, first_seed(wanted.asked))
        with muted(loaded.model, wanted.silent):
            record = continuation.record()
            return reading_of(continuation, record, wanted)

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each token of the prompt counted for the first token that was made."""
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        once = replace(wanted.asked, ending=Ending(max_tokens=1))
        with muted(loaded.model, wanted.silent):
            continuation = Continuation(loaded, pair_of(wanted), once, first_seed(once))
            continuation.record()
            made = continuation.made[0].token
            ids = continuation.given[-(loaded.model.limit or len(continuation.given)) :]
            return why(self.path, of_language_model(loaded.model, ids, loaded.tokenizer, made, None), loaded.model, method)


def first_seed(asked: Asked) -> int:
    """The seed, drawn where none was given."""
    return asked.seed if asked.seed is not None else torch.Generator().seed() % 2**32


@torch.inference_mode()
def reading_of(continuation: Continuation, record: Record, wanted: Wanted) -> Reading:
    """One more pass over prompt and continuation with all weights kept."""
    loaded = continuation.loaded
    made = torch.tensor([each.token for each in continuation.made], dtype=torch.long)
    whole = torch.cat([continuation.given, made])
    ids = whole[-min(MOST, loaded.model.reach, loaded.model.limit or MOST) :]
    output = loaded.model(ids[None].to(loaded.device), trace=True)
    new = min(len(made), len(ids) - 1)
    start = len(ids) - new
    maps = tuple(Map(trace.name, trace.weights[0].float().cpu()) for trace in output.traces)
    notes = (f"Of {len(whole)} tokens, the last {len(ids)} are shown.",) if len(whole) > len(ids) else ()
    likely = likeliest(loaded, output.logits[0, start - 1 : -1] if new else output.logits[0, :0])
    split = len(loaded.tokenizer.encode(f"{wanted.text}\n")) if wanted.second and not notes else None
    return Reading(record, (shown(loaded, ids),), maps, None, start if new else None, likely, split, wanted.silent, notes)


def shown(loaded: Loaded, ids: Int[Tensor, " t"]) -> list[str]:
    """Tokens as they can be read."""
    return [loaded.tokenizer.show(int(i)) for i in ids]


def likeliest(loaded: Loaded, logits: Float[Tensor, "n v"]) -> list[list[tuple[str, float]]]:
    """The likeliest tokens of each place with their probabilities."""
    best = logits.float().softmax(-1).topk(min(LIKELY, logits.shape[-1]), dim=-1)
    rows = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    return [[(loaded.tokenizer.show(i), round(p, 4)) for p, i in zip(shares, ids, strict=True)] for shares, ids in rows]
