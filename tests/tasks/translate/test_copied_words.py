"""A word that has no token is the word of the source that was most looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from heedful.data.tokens.word import Words
from heedful.models.seq2seq.build import build_seq2seq
from heedful.spec import PairSpec, RunSpec, Seq2SeqSpec
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.writing import looked, said, source_of
from heedful.train.run import Run


def loaded() -> LoadedSeq2Seq:
    tokenizer = Words.of(" a b c\n", "punctuation")
    spec = RunSpec(task="translate", data=PairSpec(tokenizer="word"), model=Seq2SeqSpec(width=16, layers=1, heads=2, context=16))
    model = build_seq2seq(replace(spec.model, vocabulary=tokenizer.size)).eval()
    for weight in model.parameters():
        weight.data.add_(0.3 * torch.randn_like(weight))
    return LoadedSeq2Seq(Run(Path("nowhere")), model, tokenizer, spec)


def test_a_word_without_a_token_is_copied_from_where_the_model_looked() -> None:
    run, text = loaded(), "a Zwolle b Utrecht"
    source, cut = source_of(run, text)
    unknown, known = run.tokenizer.encode(" Zwolle").tolist()[0], run.tokenizer.encode(" c").tolist()[0]
    assert not cut
    assert source.tolist().count(unknown) == 2
    ids = [known, unknown, unknown]
    alignment = looked(run, source, ids).alignment
    assert alignment is not None
    places = [int(alignment[0, step, :4].argmax()) for step in (1, 2)]
    assert said(run, text, source, ids) == " ".join(["c", *(text.split()[place] for place in places)])
    assert said(run, text, source, [known]) == "c"
