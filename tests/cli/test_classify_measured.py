"""What is measured of a classifier, and every way to train one, as a user asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("sklearn")

WORDS = {"good": ["fine", "lovely", "great", "warm", "bright"], "bad": ["dull", "cold", "poor", "awful", "grey"]}
NGRAM = ["model.kind=ngram_attention", "data.tokenizer=runs", "model.width=4"]
ENCODER = ["model.kind=encoder", "model.width=8", "model.heads=2", "model.layers=1", "model.context=12"]
TRAIN = ["train.epochs=null", "train.batch=8", "train.warmup=0", "train.log_every=1", "train.eval_every=5", "train.threads=1"]


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    lines = [
        f"the film was {words[i % 5]} and {words[(i * 3 + 1) % 5]} no {i},{label}" for i in range(40) for label, words in WORDS.items()
    ]
    path.write_text("review,label\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def run(heedful: Callable, table: Path) -> Path:
    said = heedful(
        "train", "classify", "--data", table, *settings(*NGRAM, *TRAIN, "train.steps=20", "train.learning_rate=0.05"), "--out", "run"
    )
    assert said.code == 0, said.error
    return table.parent / "run"


def listing(said: object, title: str) -> dict:
    found = json.loads(said.out)  # type: ignore[attr-defined]
    return next(one for one in found["listings"] if one["title"].startswith(title))


def test_runs_of_words_are_learnt_explained_and_gone_on_with(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("evaluate", run, "--split", "train", "--json").out)
    assert next(iter(found["rows"].values()))["accuracy"] > 0.95
    data = json.loads(heedful("explain", run, "the film was lovely and warm").out)
    assert data["pieces"] == ["the", " film", " was", " lovely", " and", " warm"]
    assert data["label"] == "good"
    strongest = max(data["counted"], key=lambda one: one["weight"])
    assert strongest["token"].strip() in ("lovely", "warm")
    assert any(one["adds"] > 0 and "lovely" in one["run"] for one in data["evidence"])
    assert heedful("explain", run, "a lovely film", "--out", "page.html").code == 0
    assert "What speaks for it" in (run.parent / "page.html").read_text()


def test_a_killed_run_goes_on_bit_for_bit(heedful: Callable, table: Path) -> None:
    often = ("train.schedule=constant", "train.checkpoint_every=3", "train.eval_every=1")  # the end of each part is judged in both
    words = ["--data", table, *settings(*NGRAM, *TRAIN, "model.dropout=0.2", *often)]
    assert heedful("train", "classify", *words, "--set", "train.steps=8", "--out", "whole").code == 0
    assert heedful("train", "classify", *words, "--set", "train.steps=3", "--out", "parts").code == 0
    assert heedful("train", "classify", "--out", "parts", "--resume", "--set", "train.steps=8").code == 0
    first, second = (json.loads(heedful("predict", name, "a lovely film", "--json").out) for name in ("whole", "parts"))
    assert first == second
    last = [load_file(table.parent / name / "last.safetensors") for name in ("whole", "parts")]
    assert last[0].keys() == last[1].keys()
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])


def test_models_side_by_side_begin_with_words_learnt_elsewhere_and_go_on_bit_for_bit(heedful: Callable, table: Path) -> None:
    (table.parent / "lines.txt").write_text("the film was fine and lovely\nan unseen film was dull and poor\n" * 10)
    beside = "{kind: text_cnn, context: 20, embedding: 4, filters: 4, widths: [1, 2], pace: 0.2}"
    further = ["{kind: bilstm_attention, embedding: 4, hidden: 4}", "{kind: text_cnn, embedding: 4, filters: 2, widths: [2]}"]
    three = settings(*NGRAM, f"model.beside={beside}", f"model.further=[{', '.join(further)}]", "data.vectors=[lines.txt]", *TRAIN)
    often = settings("train.schedule=constant", "train.checkpoint_every=3", "train.eval_every=1")
    words = ["--data", table, *three, *often]
    said = heedful("train", "classify", *words, "--set", "train.steps=6", "--out", "whole")
    assert said.code == 0, said.error
    assert heedful("train", "classify", *words, "--set", "train.steps=3", "--out", "parts").code == 0
    assert heedful("train", "classify", "--out", "parts", "--resume", "--set", "train.steps=6").code == 0
    last = [load_file(table.parent / name / "last.safetensors") for name in ("whole", "parts")]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0].keys() | last[1].keys())
    assert {name.split(".")[1] for name in last[0] if name.startswith("further.")} == {"0", "1"}
    assert "further.1.embedding.kept" in last[0]  # the words that only the lines have
    assert json.loads(heedful("predict", "whole", "an unseen film", "--json").out)["label"] in WORDS
    assert json.loads(heedful("explain", "whole", "a lovely film", "--method", "occlusion", "--json").out)["method"] == "occlusion"
    said = heedful("explain", "whole", "a lovely film", "--method", "quick")
    assert (said.code, said.error.count("\n")) == (2, 1)
    assert "occlusion" in said.error
    said = heedful("train", "classify", "--data", table, *settings(*NGRAM, f"model.further=[{further[0]}]"), "--out", "no")
    assert (said.code, said.error.count("\n")) == (2, 1)
    assert "model.further" in said.error


def test_noise_has_a_curve_and_training_with_it_is_an_option(heedful: Callable, table: Path, run: Path) -> None:
    rows = listing(
        heedful("evaluate", run, "--split", "train", "--noise", "typos", "--rate", "0.5", "--rate", "1.0", "--json"), "accuracy with typos"
    )["rows"]
    assert [row[0] for row in rows] == ["0%", "50%", "100%"]
    assert rows[0][1] > rows[2][1]
    words = settings(*NGRAM, *TRAIN, "train.steps=2", "data.noise=typos", "data.rate=0.5")
    said = heedful("train", "classify", "--data", table, *words, "--out", "noisy")
    assert said.code == 0, said.error
    assert heedful("evaluate", run, "--noise", "typo").code == 2
    assert heedful("evaluate", run, "--noise", "typos", "--rate", "2").code == 2


def test_an_attack_costs_accuracy(heedful: Callable, run: Path) -> None:
    rows = listing(heedful("evaluate", run, "--split", "train", "--attack", "2", "--attacked", "12", "--json"), "accuracy under attack")[
        "rows"
    ]
    assert [row[0] for row in rows] == ["none", "letters", "words", "both"]
    assert rows[3][1] < rows[0][1]  # both words that tell the class may be replaced


def test_it_abstains_below_a_confidence(heedful: Callable, run: Path) -> None:
    everything = listing(heedful("evaluate", run, "--abstain", "0.01", "--json"), "abstaining")["rows"][0]
    assert everything[1] == 1.0
    nothing = listing(heedful("evaluate", run, "--abstain", "1.0", "--json"), "abstaining")["rows"][0]
    assert nothing[1] < 1.0
    chosen = listing(heedful("evaluate", run, "--sure", "0.9", "--json"), "abstaining")
    assert "90%" in chosen["title"]
    assert chosen["rows"][0][2] >= 0.9
    assert json.loads(heedful("predict", run, "the film", "--abstain", "0.999", "--json").out)["label"] is None
    assert heedful("predict", run, "the film", "--abstain", "0.999").out.startswith("none (")
    assert heedful("evaluate", run, "--abstain", "0.5", "--sure", "0.5").code == 2
    assert heedful("evaluate", run, "--sure", "1.5").code == 2


def test_folds_and_seeds_have_a_mean_and_an_interval(heedful: Callable, run: Path) -> None:
    said = heedful("evaluate", run, "--folds", "2", "--seeds", "2", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert next(iter(found["rows"].values()))["texts"] == 80
    assert [row[0] for row in listing(said, "each seed")["rows"]] == ["1", "2", "standard error"]
    assert listing(said, "accuracy above the baseline")["rows"][0][3] in ("above", "below", "not to be told apart")
    names = sorted(path.name for path in (run / "trials").iterdir())
    assert names == sorted(
        [f"seed-{seed}-fold-{fold}-of-2.json" for seed in (0, 1) for fold in (0, 1)] + [f"baseline-2-{fold}-test.json" for fold in (0, 1)]
    )
    again = heedful("evaluate", run, "--folds", "2", "--seeds", "2", "--json")
    assert json.loads(again.out) == found
    assert heedful("evaluate", run, "--folds", "1").code == 2
    assert heedful("evaluate", run, "--seeds", "1", "--data", "other.csv").code == 2


def test_a_learning_curve_has_a_pretrained_column_where_the_model_can(heedful: Callable, table: Path) -> None:
    small = ["train.steps=2", "data.tokenizer=word", "data.vocabulary=60"]
    assert heedful("train", "classify", "--data", table, *settings(*ENCODER, *TRAIN, *small), "--out", "enc").code == 0
    said = heedful("evaluate", "enc", "--learning-curve", "--json")
    assert said.code == 0, said.error
    curve = json.loads(said.out)["listings"][0]
    assert tuple(curve["head"]) == ("texts", "number", "model", "pretrained", "baseline")
    assert [row[0] for row in curve["rows"]] == ["1%", "3%", "10%", "30%", "100%"]


def test_an_encoder_is_pretrained_on_plain_lines_first(heedful: Callable, table: Path) -> None:
    plain = table.parent / "lines.txt"
    plain.write_text("\n".join(line.rpartition(",")[0] for line in table.read_text().splitlines()[1:]))
    words = [*ENCODER, *TRAIN, "data.tokenizer=word", "data.vocabulary=60"]
    said = heedful("train", "classify", "--data", plain, *settings(*words, "train.steps=6", "train.learn=masked"), "--out", "first")
    assert said.code == 0, said.error
    assert "nats a hidden token" in said.error
    assert heedful("evaluate", "first").code == 2
    said = heedful("train", "classify", "--data", table, *settings(*words, "train.steps=2", "train.start=first"), "--out", "second")
    assert said.code == 0, said.error
    assert json.loads(heedful("predict", "second", "a fine film", "--json").out)["label"] in WORDS


def test_long_texts_are_read_in_windows(heedful: Callable, table: Path) -> None:
    words = settings(*ENCODER[:-1], "model.context=4", "data.keep=windows", "data.tokenizer=word", "data.vocabulary=60", *TRAIN)
    said = heedful("train", "classify", "--data", table, *words, "--set", "train.steps=3", "--out", "run")
    assert said.code == 0, said.error
    assert "longer than 4 and read by windows, whole" in said.error
    found = json.loads(heedful("explain", "run", "the film was fine and great no 1").out)
    assert (found["tokens"], found["cut"], len(found["pieces"])) == (8, False, 8)


def test_classes_may_count_the_same(heedful: Callable, tmp_path: Path) -> None:
    path = tmp_path / "rare.csv"
    path.write_text("text,label\n" + "".join(f"text {i % 7},{'rare' if i % 10 == 0 else 'often'}\n" for i in range(100)))
    told = {}
    for name in ("none", "balanced"):
        words = settings(*ENCODER, *TRAIN, "data.tokenizer=word", "train.steps=60", "train.learning_rate=0.02", f"data.weights={name}")
        assert heedful("train", "classify", "--data", path, *words, "--out", name).code == 0
        last = ["--json"]
        told[name] = json.loads(heedful("predict", tmp_path / name / "last.safetensors", "text 3", *last).out)["probabilities"]["rare"]
    assert told["balanced"] > told["none"] + 0.1  # of texts that say nothing, one in ten is rare, or one in two


def test_chinese_is_learnt_attacked_and_explained(heedful: Callable, tmp_path: Path) -> None:
    path = tmp_path / "zh.csv"
    good, bad = ("很好看", "非常喜欢", "精彩"), ("很难看", "非常讨厌", "无聊")
    rows = [f"这部电影第{i}次{words[i % 3]},{label}" for i in range(30) for label, words in (("好", good), ("坏", bad))]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="gb18030")
    words = settings(*NGRAM, *TRAIN, "train.steps=20", "train.learning_rate=0.05", "data.encoding=gb18030")
    assert heedful("train", "classify", "--data", path, *words, "--out", "run").code == 0
    found = json.loads(
        heedful("evaluate", "run", "--split", "train", "--noise", "drop", "--rate", "0.3", "--attack", "1", "--attacked", "8", "--json").out
    )
    assert all(row["accuracy"] > 0.95 for row in found["rows"].values())
    data = json.loads(heedful("explain", "run", "这部电影非常喜欢").out)
    assert data["label"] == "好"
    assert "".join(data["pieces"]).replace(" ", "") == "这部电影非常喜欢"


@pytest.mark.parametrize("adapter", ["whole", "bottleneck"])
def test_a_hugging_face_encoder_is_trained_like_ours(heedful: Callable, table: Path, adapter: str) -> None:
    pytest.importorskip("transformers")
    from models.tiny_bert import save_tiny_bert

    folder = save_tiny_bert(table.parent / "bert")
    words = settings(*TRAIN, "train.steps=12", "train.learning_rate=0.02", f"model.adapter={adapter}")
    said = heedful("train", "classify", "--data", table, "--model", f"hf:{folder}", *words, "--out", "run")
    assert said.code == 0, said.error
    (folder / "model.safetensors").unlink()  # the run stands by itself
    assert json.loads(heedful("evaluate", "run", "--json").out)["rows"]["pretrained"]["texts"] == 8
    assert json.loads(heedful("predict", "run", "the film was lovely", "--json").out)["tokens"] == 4
    found = json.loads(heedful("explain", "run", "the film was lovely", "--layer", "2").out)
    assert [piece.strip(" ␣") for piece in found["pieces"]] == ["the", "film", "was", "lovely"]
    assert heedful("explain", "run", "the film was lovely", "--out", "page.html").code == 0
    assert heedful("train", "classify", "--data", table, "--model", "hf:no/such", "--out", "none").code == 1


def test_what_does_not_go_together_is_one_line(heedful: Callable, table: Path, run: Path) -> None:
    said = heedful("train", "classify", "--data", table, *settings("model.kind=ngram_attention", "data.tokenizer=word"), "--out", "no")
    assert (said.code, said.error.count("\n")) == (2, 1)
    assert "runs or letter_runs would work" in said.error
    said = heedful("train", "classify", "--data", table, *settings(*NGRAM, "train.learn=masked"), "--out", "no")
    assert said.code == 2
    assert "guesses no tokens" in said.error.splitlines()[-1]
    assert heedful("train", "classify", "--data", table, "--model", "encodr", "--out", "no").code == 2
