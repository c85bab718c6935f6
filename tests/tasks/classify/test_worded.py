"""Word embeddings that begin as vectors learnt elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from heedful.data.tokens.char import Characters
from heedful.data.tokens.runs import Runs
from heedful.data.vectors import Vectors, alike
from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.models.classifiers import build_classifier
from heedful.spec.classifier import BiLSTMSpec, EncoderSpec, NgramSpec, TextCNNSpec
from heedful.spec.data import DataSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.classify.preparing import prepared
from heedful.tasks.classify.worded import LENGTH, begin_words, embeddings_of, names, width_of, with_words
from heedful.train.loop import Trainer
from heedful.train.run import Run

VECTORS = Vectors(("good", "bad", "unseen", "0"), np.eye(4, dtype=np.float32))


@pytest.mark.parametrize("pace", [1.0, 0.25])
def test_each_known_word_begins_with_its_vector_whatever_its_pace(pace: float) -> None:
    tokens = with_words(Runs.train(["good fun\nbad fun\ngood fun\nbad 1998\n1998"], None), VECTORS)
    assert isinstance(tokens, Runs)
    beside = TextCNNSpec(vocabulary=sum(tokens.words()), embedding=4, filters=2, pace=pace)
    model = build_classifier(NgramSpec(vocabulary=tokens.size, labels=("a", "b"), width=0, beside=beside))
    assert begin_words(model, tokens, VECTORS) == 5
    table = embeddings_of(model)[0]
    words = [run for run, single in zip(tokens.runs, tokens.words(), strict=True) if single]
    for word in ("good", "bad", "unseen", "1998"):
        row = table(torch.tensor([words.index(word)]))[0]
        assert torch.allclose(row, torch.from_numpy(VECTORS.rows[VECTORS.places()[alike(word)]]) * LENGTH, atol=1e-6)


def test_a_paced_embedding_moves_so_much_less_under_adam() -> None:
    moved = []
    for pace in (1.0, 0.25):
        torch.manual_seed(0)
        table = TokenEmbedding(3, 4, pace=pace)
        before = table(torch.arange(3)).detach().clone()
        optimiser = torch.optim.Adam(table.parameters(), lr=0.01)
        table(torch.arange(3)).sum().backward()
        optimiser.step()
        moved.append(float((table(torch.arange(3)).detach() - before).abs().mean()))
    assert moved[1] == pytest.approx(moved[0] * 0.25, rel=1e-3)


def test_a_paced_embedding_starts_as_wide_as_another() -> None:
    torch.manual_seed(0)
    wide = TokenEmbedding(50, 40, pace=0.1)(torch.arange(50)).detach().std()
    assert float(wide) == pytest.approx(0.02, rel=5 / np.sqrt(2 * 2000))  # five standard errors of a standard deviation


def test_what_was_never_seen_with_a_class_says_nothing_of_the_classes(tmp_path: Path) -> None:
    rows = [("good fun indeed", "yes"), ("bad luck indeed", "no")] * 20 + [("so good", "yes")] * 10
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    (tmp_path / "lines.txt").write_text("good days bad days\nunseen words here\n" * 30, encoding="utf-8")
    data = DataSpec(str(tmp_path / "rows.csv"), tokenizer="runs", vectors=(str(tmp_path / "lines.txt"),))
    model = NgramSpec(width=0, beside=TextCNNSpec(embedding=4, filters=2, widths=(1,), context=16))
    found = prepared(RunSpec(task="classify", data=data, model=model, train=TrainSpec(epochs=1, batch=8)))
    tokens = found.job.tokenizer
    assert isinstance(tokens, Runs)
    assert "unseen" in tokens.ids
    ratios = found.job.model.ratios
    assert not ratios[tokens.ids["unseen"]].any()
    assert ratios[tokens.ids["good"]].abs().min() > 0


def vectored(tmp_path: Path, model: NgramSpec | TextCNNSpec) -> RunSpec:
    """A few texts of two classes, and lines whose words are to be known beforehand."""
    rows = [("good fun indeed", "yes"), ("bad luck indeed", "no")] * 20
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    (tmp_path / "lines.txt").write_text("good days bad days\nunseen words here\n" * 30, encoding="utf-8")
    kind = "runs" if isinstance(model, NgramSpec) else "word"
    data = DataSpec(str(tmp_path / "rows.csv"), tokenizer=kind, vectors=(str(tmp_path / "lines.txt"),))
    return RunSpec(task="classify", data=data, model=model, train=TrainSpec(epochs=2, batch=8, eval_every=4, checkpoint_every=4))


CNN = TextCNNSpec(embedding=3, filters=2, widths=(1,), context=16)
BOTH = NgramSpec(width=0, beside=CNN, further=(BiLSTMSpec(embedding=3, hidden=2),))


@pytest.mark.parametrize("model", [CNN, BOTH])
def test_words_of_the_vectors_alone_are_not_learnt(tmp_path: Path, model: NgramSpec | TextCNNSpec) -> None:
    found = prepared(vectored(tmp_path, model))
    words = names(found.job.tokenizer)
    for table in embeddings_of(found.job.model):
        learnt, still = words[: len(table.weight)], words[len(table.weight) :]
        assert {"good", "fun", "bad"} <= set(learnt)
        assert {"unseen", "words", "here", "days"} <= set(still)
        assert table(torch.tensor([words.index("unseen")])).detach().abs().max() > 0


def test_such_a_run_is_read_again_and_gone_on_from(tmp_path: Path) -> None:
    found = prepared(vectored(tmp_path, BOTH))
    run = Run.create(tmp_path / "run", found.job.spec, found.job.tokenizer, overwrite=False)
    Trainer(found.job, run).fit()
    loaded = load_classifier(tmp_path / "run")
    mine, theirs = embeddings_of(found.job.model)[0], embeddings_of(loaded.model)[0]
    assert mine.kept is not None
    assert theirs.kept is not None
    assert torch.equal(mine.kept, theirs.kept)
    told = Classified(loaded, "unseen good fun").record()
    assert told["label"] in ("yes", "no")
    spec = replace(found.job.spec, data=replace(found.job.spec.texts, vectors=()), model=BOTH)
    begun = prepared(replace(spec, train=replace(spec.train, start=str(tmp_path / "run"))))
    assert torch.equal(embeddings_of(begun.job.model)[0].weight, theirs.weight)


def test_models_side_by_side_want_vectors_of_one_length() -> None:
    with pytest.raises(UsageError, match="embeddings of 3, 5: one would work"):
        width_of(replace(BOTH, further=(TextCNNSpec(embedding=5),)))


@pytest.mark.parametrize("spec", [EncoderSpec(), NgramSpec()])
def test_a_model_without_word_embeddings_is_refused(spec: EncoderSpec | NgramSpec) -> None:
    with pytest.raises(UsageError, match="text_cnn, bilstm_attention or lstm_cnn would work"):
        width_of(spec)


def test_a_tokenizer_of_other_things_than_words_is_refused() -> None:
    with pytest.raises(UsageError, match="word, runs or letter_runs would work"):
        with_words(Characters.train(["abc"], None), VECTORS)


def test_width_is_the_embeddings() -> None:
    assert width_of(BiLSTMSpec(embedding=7)) == 7
