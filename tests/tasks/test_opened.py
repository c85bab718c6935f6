"""What RUN|MODEL opens: a model, and three sets of sequences that share none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from heedful.data.tokens import tokenizer_state, train_tokenizer
from heedful.errors import CheckpointError, DataError, UsageError
from heedful.manage.hashes import batches_hashes, sequence_hashes
from heedful.manage.objective import token_losses
from heedful.models.build import build
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.classifiers import build_classifier
from heedful.spec.classifier import EncoderSpec
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.task import RunSpec
from heedful.tasks.loading import load
from heedful.tasks.opened import Opened, opened
from heedful.train.run import Run

SPECIAL = ["<pad>", "<s>", "</s>", "<mask>"]
SMALL: dict[str, Any] = {
    "vocab_size": 260,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def tokenizer(marks: str) -> PreTrainedTokenizerFast:
    """Bytes as tokens, in the marks of a template such as "<s> $A"."""
    alphabet = {token: i for i, token in enumerate([*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    made = Tokenizer(models.BPE(alphabet, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(single=marks, special_tokens=[("<s>", 1), ("</s>", 2)])
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>", "cls_token": "<s>", "sep_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **names)


def folder(path: Path, model: Any, marks: str) -> Path:
    model.save_pretrained(path)
    tokenizer(marks).save_pretrained(path)
    return path


def disjoint(found: Opened) -> None:
    hashes = [set(batches_hashes(part)) for part in found.parts]
    assert all(hashes)
    assert sum(map(len, hashes)) == len(set().union(*hashes))
    again = [set(batches_hashes(part)) for part in found.parts]
    assert again == hashes


TEXT = " ".join(f"{n * n} is the square of {n}." for n in range(400))


def run_of(path: Path, spec: RunSpec, build: Callable[[Any], Any], text: str) -> Path:
    """A run as training leaves it, without the training."""
    known = train_tokenizer("char", [text])
    spec = replace(spec, model=replace(spec.model, vocabulary=known.size))
    torch.manual_seed(0)
    made = Run.create(path, spec, known)
    save_checkpoint(made.best_path, Checkpoint(build(spec.model).state_dict(), spec, tokenizer_state(known)))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    source = tmp_path / "text.txt"
    source.write_text(TEXT)
    small = DecoderSpec(context=32, width=16, layers=1, heads=2)
    return run_of(tmp_path / "run", RunSpec(data=DataSpec(str(source)), model=small), build, TEXT)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Texts kept class by class, as many sets are, one of them twice."""
    rows = [f"{label},text {n * n} of {label}{n}" for label in ("bad", "good") for n in range(30)]
    (tmp_path / "table.csv").write_text("\n".join(["label,text", *rows, rows[-1]]) + "\n")
    return tmp_path / "table.csv"


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return folder(tmp_path / "llama", LlamaForCausalLM(LlamaConfig(**SMALL)), "<s> $A")


def test_a_run_is_judged_on_what_it_has_not_learnt_from(run: Path) -> None:
    found = opened(run, length=16, batch=4)
    disjoint(found)
    loaded = load(run)
    learnt, held = loaded.corpus().train, loaded.corpus().validation
    for part in found.parts:
        for batch in part:
            assert set(batch) == {"input_ids", "labels"}
            assert torch.equal(batch["input_ids"][:, 1:], batch["labels"][:, :-1])
            assert all(loaded.tokenizer.decode(row.tolist()) in held for row in batch["input_ids"])
    assert learnt
    assert found.sizes().startswith(f"calibrate {len(found.parts.calibrate.rows)} x 16 tokens, select ")
    assert token_losses(found.model, next(iter(found.parts.test))).number == 4 * 16


def test_the_same_file_under_another_name_is_still_what_was_learnt(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "text.txt")
    named = opened(run, str(tmp_path / "link"), length=16)
    assert {*batches_hashes(named.parts.test)} == {*batches_hashes(opened(run, length=16).parts.test)}
    other = tmp_path / "other.txt"
    other.write_text(TEXT[::-1])
    assert sum(part.tokens for part in opened(run, str(other), length=16).parts) > 5 * sum(part.tokens for part in named.parts)


def test_limit_and_batch_are_kept_to(run: Path) -> None:
    found = opened(run, length=8, batch=3, limit=2)
    assert [len(part) for part in found.parts] == [2, 2, 2]
    assert [tuple(batch["input_ids"].shape) for batch in found.parts.select] == [(3, 8), (3, 8)]
    whole = opened(run, length=8).parts.test.rows
    limited = opened(run, length=8, limit=2).parts.test.rows
    assert torch.equal(limited[0]["input_ids"], whole[0]["input_ids"])
    assert torch.equal(limited[1]["input_ids"], whole[-1]["input_ids"])


def test_a_checkpoint_alone_opens_too(run: Path) -> None:
    assert opened(run / "best.safetensors", length=16).length == 16


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"length": 5000}, DataError, r"its held-out text has .* tokens, too few for three parts of 5,000: --length \d+ or shorter"),
        ({"length": 0}, UsageError, "--length is 0: it must be 1 or more"),
        ({"batch": 0}, UsageError, "--batch is 0"),
        ({"limit": -1}, UsageError, "--limit is -1"),
        ({"data": "nowhere"}, DataError, "no text at 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_said(run: Path, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        opened(run, **arguments)


def test_what_the_hint_names_works(run: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(run, length=5000)
    shorter = int(str(caught.value).split("--length ")[1].split()[0])
    disjoint(opened(run, length=shorter))


def test_no_model_is_said_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run, no folder"):
        opened(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match=r"not a run \(no run.yaml in it\)"):
        opened(tmp_path)


def test_a_llama_reads_windows_between_its_marks(llama: Path) -> None:
    with pytest.raises(UsageError, match="has no text of its own: --data names"):
        opened(llama)
    with pytest.raises(UsageError, match="places at most 64 tokens"):
        opened(llama, "python-reference", length=65)
    found = opened(llama, "python-reference", length=24, batch=2, limit=3)
    disjoint(found)
    for batch in found.parts.test:
        assert batch["input_ids"].shape == (2, 24)
        assert batch["input_ids"][:, 0].tolist() == [1, 1]
        assert torch.equal(batch["labels"], batch["input_ids"])
        scored = token_losses(found.model, batch)
        assert scored.number == 2 * 23
        torch.testing.assert_close(scored.total / scored.number, found.model(**batch).loss)


def test_bert_guesses_the_same_hidden_words_each_time(tmp_path: Path) -> None:
    path = folder(tmp_path / "bert", BertForMaskedLM(BertConfig(**SMALL)), "<s> $A </s>")
    found = opened(path, "python-reference", length=22, limit=2)
    disjoint(found)
    batch, again = next(iter(found.parts.test)), next(iter(opened(path, "python-reference", length=22, limit=2).parts.test))
    assert torch.equal(batch["input_ids"], again["input_ids"])
    assert (batch["input_ids"][0, [0, -1]].tolist(), batch["input_ids"].shape) == ([1, 2], (1, 22))
    hidden = batch["input_ids"] == 3
    assert torch.equal(hidden, batch["labels"] != -100)
    scored = token_losses(found.model, batch)
    assert scored.number == int(hidden.sum()) == 3
    torch.testing.assert_close(scored.total / scored.number, found.model(**batch).loss)


def test_t5_answers_the_first_half_with_the_second(tmp_path: Path) -> None:
    small = T5Config(vocab_size=260, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0, pad_token_id=0)
    path = folder(tmp_path / "t5", T5ForConditionalGeneration(small), "$A </s>")
    found = opened(path, "python-reference", length=21, limit=2, batch=2)
    disjoint(found)
    batch = next(iter(found.parts.test))
    assert (batch["input_ids"].shape, batch["labels"].shape) == ((2, 11), (2, 11))
    scored = token_losses(found.model, batch)
    torch.testing.assert_close(scored.total / scored.number, found.model(**batch).loss)
    with pytest.raises(UsageError, match="the batch has no labels"):
        token_losses(found.model, {name: tensor for name, tensor in batch.items() if name != "labels"})


def test_a_classifier_of_ours_is_judged_on_its_own_held_out_texts(table: Path, tmp_path: Path) -> None:
    spec = RunSpec(
        task="classify",
        data=DataSpec(str(table), validation=0.3),
        model=EncoderSpec(labels=("bad", "good"), context=16, width=16, layers=1, heads=2),
    )
    found = opened(run_of(tmp_path / "run", spec, build_classifier, table.read_text()), batch=4)
    disjoint(found)
    batch = next(iter(found.parts.calibrate))
    assert set(batch) == {"ids", "lengths", "labels"}
    assert {int(label) for part in found.parts for each in part for label in each["labels"]} == {0, 1}
    scored = token_losses(found.model, batch)
    torch.testing.assert_close(scored.total / scored.number, found.model(**batch).loss)
    padded = torch.nn.functional.pad(batch["ids"], (0, 2))
    assert sequence_hashes(batch) == sequence_hashes({**batch, "ids": padded})
    strange = tmp_path / "strange.csv"
    strange.write_text("label,text\n" + "".join(f"odd,text {n}\neven,word {n}\n" for n in range(9)))
    with pytest.raises(DataError, match="classes the model does not tell"):
        opened(tmp_path / "run", str(strange))


@pytest.mark.parametrize("names", [{0: "good", 1: "bad"}, {0: "LABEL_0", 1: "LABEL_1"}])
def test_a_pretrained_classifier_reads_classes_by_name_or_by_number(table: Path, tmp_path: Path, names: dict[int, str]) -> None:
    config = BertConfig(**SMALL, id2label=names, label2id={name: number for number, name in names.items()})
    path = folder(tmp_path / "bert", BertForSequenceClassification(config), "<s> $A </s>")
    found = opened(path, str(table), length=24, batch=8)
    disjoint(found)
    assert sum(len(part.rows) for part in found.parts) == 60
    good = 0 if names[0] == "good" else 1
    for batch in found.parts.test:
        texts = [found.tokenizer.decode(row) for row in batch["input_ids"]]
        assert batch["attention_mask"].sum(1).tolist() == [int((row != 0).sum()) for row in batch["input_ids"]]
        assert [int(label) for label in batch["labels"]] == [good if "good" in text else 1 - good for text in texts]
        scored = token_losses(found.model, batch)
        torch.testing.assert_close(scored.total / scored.number, found.model(**batch).loss)


def test_classes_that_are_not_the_models_are_refused(table: Path, tmp_path: Path) -> None:
    config = BertConfig(**SMALL, id2label={0: "cat", 1: "dog"}, label2id={"cat": 0, "dog": 1})
    path = folder(tmp_path / "bert", BertForSequenceClassification(config), "<s> $A </s>")
    with pytest.raises(DataError, match="has the classes bad, good, the model cat, dog: the same names would work"):
        opened(path, str(table))
