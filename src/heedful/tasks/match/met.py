"""Which words of a question met which words of an entry: as data and as a page.

By the re-ranker's cross attention where there is one, else by how alike the tower makes each pair of words (late interaction: Khattab &
Zaharia 2020, arXiv 2004.12832). Either is what was read, and does not prove why an entry was chosen.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from heedful.data.tokens.grams import folded_words
from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.heatmap import heatmap
from heedful.explanations.parts.table import table
from heedful.models.matcher.matcher import picked
from heedful.tasks.looked import index as numbered
from heedful.tasks.match.answer import Meant
from heedful.tasks.match.matched import Matched, Matching
from heedful.tasks.match.matching import MEASURES
from heedful.tasks.task import Explanation, Record, View
from heedful.train.metrics import moved

COSINE: Final = "the cosine of the words' states"
CAUTION: Final = "Which words met is what the model read; it does not prove why this entry was chosen."


class Pairs(NamedTuple):
    """How far each word of the question (rows) met each word of the entry (columns), and by what."""

    asked: list[str]
    entry: list[str]
    weights: Float[Tensor, "q k"]
    counted: Float[Tensor, " q"]
    by: str


def met(answer: Meant, view: View) -> Explanation:
    """Match the question, and show which words met in its best entry."""
    found = answer.found()
    record = dict(answer.told(found))
    best = record["matches"][0]
    pairs = pairs_of(answer.matching, answer.text, best["entry"], view)
    flat = pairs.weights.flatten()
    places = flat.topk(min(view.top, len(flat))).indices.tolist()
    width = len(pairs.entry)
    words = [{"asked": pairs.asked[i // width], "entry": pairs.entry[i % width], "weight": round(float(flat[i]), 4)} for i in places]
    counted = [{"word": word, "weight": round(weight, 4)} for word, weight in zip(pairs.asked, pairs.counted.tolist(), strict=True)]
    record |= {"met_by": pairs.by, "met": words, "counted": counted, "measures": measures_of(answer.matching, found, best["label"])}
    return Explanation(record, shown(answer, record, pairs))


@torch.inference_mode()
def pairs_of(matching: Matching, question: str, entry: str, view: View) -> Pairs:
    """The words of both and what passed between them."""
    reranked = matching.loaded.model.reranker is not None
    if not reranked and (view.layer is not None or view.head is not None):
        raise UsageError("this model has no re-ranker whose heads could be told apart: without --layer and --head it would work")
    asked, known = worded(matching, question, entry)
    found, layers = layers_of(matching, question, entry)
    chosen = layers if view.layer is None else [layers[numbered("layer", view.layer, len(layers))]]
    stack = torch.stack([weights for _, weights in chosen])
    heads = stack if view.head is None else stack[:, numbered("head", view.head, stack.shape[1]), None]
    by = "the re-ranker's cross attention" if reranked else COSINE
    return Pairs(asked, known, heads.mean((0, 1)), found[: len(asked)], by)


def worded(matching: Matching, question: str, entry: str) -> tuple[list[str], list[str]]:
    """The words of both that the model reads."""
    asked, known = (folded_words(text)[: matching.loaded.model.context] or [""] for text in (question, entry))
    return asked, known


@torch.inference_mode()
def layers_of(matching: Matching, question: str, entry: str) -> tuple[Float[Tensor, " q"], list[tuple[str, Float[Tensor, "h q k"]]]]:
    """How much the question's own words counted, and what passed between the words of both: a map of every head of the re-ranker's layers.

    Without a re-ranker there is one map: how alike the words' states are.
    """
    loaded = matching.loaded
    found = loaded.model.tower(moved(loaded.reading([question, entry]).whole(), loaded.device))
    rows, columns = (len(words) for words in worded(matching, question, entry))
    if loaded.model.reranker is None:
        states = normalize(found.states, dim=-1)
        maps = [("cosine", (states[0, :rows] @ states[1, :columns].T).clamp(min=0)[None])]
    else:
        _, traces = loaded.model.reranker(picked(found, torch.tensor([0])), picked(found, torch.tensor([1])), trace=True)
        maps = [(trace.name, trace.weights[0, :, :rows, :columns]) for trace in traces]
    return found.pooled[0].float().cpu(), [(name, weights.float().cpu()) for name, weights in maps]


def measures_of(matching: Matching, found: Matched, label: str) -> Record:
    """What each measure adds to the score of a class, weight and all."""
    place = matching.index.names.index(label)
    parts = found.met.measures[0, place] * matching.calibration.weights
    return {name: round(float(part), 3) for name, part, weight in zip(MEASURES, parts, matching.calibration.weights, strict=True) if weight}


def shown(answer: Meant, record: Record, pairs: Pairs) -> str:
    """The page: the best matches, what met, and what each measure adds."""
    rows = [(match["label"], match["probability"], match["entry"]) for match in record["matches"]]
    verdict = "It is turned away: nothing that is known is near enough." if record["refused"] else f"It is taken to mean {record['label']}."
    sections = [
        Section("The question", f"{answer.text} {verdict}", [table(("class", "probability", "entry"), rows, "The likeliest")], "question"),
        Section(
            "Which words met",
            f"Rows: the question's words; columns: the entry's; shaded by {pairs.by}.",
            [heatmap(pairs.weights, pairs.asked, pairs.entry, record["matches"][0]["entry"])],
            "words",
        ),
        Section(
            "What decided",
            "What each measure adds to the score of the first class.",
            [table(("measure", "adds"), list(record["measures"].items()), "Measures")],
            "measures",
        ),
    ]
    return page("What the question met", CAUTION, sections, f"{answer.matching.loaded.run.path}")
