"""Why a text was written as it was: the answer of `heedful explain --method` for the tasks translate and summarise."""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.methods.quick import Quick
from heedful.explanations.page import Section
from heedful.explanations.parts.heatmap import Style, heatmap
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.tokens import Tokens
from heedful.tasks.explained.writing import Wanted, Written, of_written, wanted_of, words_of
from heedful.tasks.task import Explanation, View
from heedful.tasks.translate.answer import Translated
from heedful.tasks.translate.loading import LoadedSeq2Seq

MOST: Final = 96  # words, source and target together, up to which the map of all is drawn
QUICK: Final = Quick()


def why_written(answer: Translated, view: View) -> Explanation:
    """The text, or one of its words, with what speaks for and against it."""
    loaded, text = answer.loaded, Written(answer.source, tuple(answer.hypotheses[0].ids))
    subject = of_written(
        loaded.model, text, wanted_of(text.ids, loaded.model.mark, loaded.tokenizer, view.target, view.contrast), loaded.tokenizer
    )
    found = reasons(loaded.run.path, subject, loaded.model, view)
    names, sources = ([name for name, _ in words_of(loaded.tokenizer, ids, 0)] for ids in (text.ids, text.source.tolist()[:-1]))
    sections = []
    if subject.no_gradients is None and len(names) + len(sources) <= MOST and names:
        about = "Rows were written, columns were read. Blue speaks for the word, orange against; a quick look at each word, in nats."
        rows, columns = ([name.strip("␣") for name in side] for side in (names, sources))
        whole = heatmap(alignment(loaded, text), rows, columns, "Each word, by the source's", Style("signed"))
        sections.append(Section("Word by word", about, [whole], "map"))
    record = dict(answer.record())
    told = {"read_text": record.pop("source"), **record, "written": [name.strip("␣") for name in names]}
    return answered(found, view, told, sections, f"{loaded.run.path}")


def alignment(loaded: LoadedSeq2Seq, text: Written, method: Method = QUICK) -> Float[Tensor, "t s"]:
    """What each word of a text that was written owes to each word of its source, by a method."""
    return torch.stack([method.explained(subject)[: reads(subject)] for subject in each_word(loaded, text)])


def each_word(loaded: LoadedSeq2Seq, text: Written) -> list[Tokens]:
    """Every word that was written as a subject of its own."""
    places = [places for _, places in words_of(loaded.tokenizer, text.ids, 0)]
    asked = [Wanted(some[0], tuple(text.ids[at] for at in some)) for some in places]
    return [of_written(loaded.model, text, wanted, loaded.tokenizer) for wanted in asked]


def reads(subject: Tokens) -> int:
    """How many units are of the source."""
    return subject.parts[0][1] if subject.parts else subject.count
