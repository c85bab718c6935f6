"""Bad input: one clear line, exit code 1 or 2, nothing half-written."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def train(heedful: Callable, text: Path | str, *settings: str) -> object:
    words = [part for setting in settings for part in ("--set", setting)]
    return heedful("train", "generate", "--data", text, *words, "--out", "run")


@pytest.mark.parametrize(("settings", "parts"), [
    (["model.widht=8"], ("widht", "'width'")),
    (["model.heads=3"], ("3 heads do not divide width",)),
    (["model.kv_heads=3"], ("3 key/value heads do not divide",)),
    (["model.context=nine"], ("model.context", "nine", "whole number")),
    (["model.attention.score=scaled_dto"], ("scaled_dto", "'scaled_dot'")),
    (["model.attention.mask={name: window, sise: 3}"], ("sise", "'size'")),
    (["model.attention.position=ropes"], ("ropes", "'rope'")),
    (["model.gate=squeeze"], ("squeeze",)),
    (["model.vocabulary=50"], ("50", "1,024" , "data.vocabulary")),
    (["model.memory=4"], ("model.memory", "train.order")),
    (["model.attention.backend=spda"], ("spda", "'sdpa'")),
    (["model.attention.backend=sdpa", "model.attention.softcap=9"], ("sdpa", "softcap", "naive")),
    (["train.precision=fp16"], ("fp16", "bf16")),
    (["train.optimiser=adam"], ("adam", "'adamw'")),
    (["data.tokenizer=chars"], ("chars", "'char'")),
    (["nonsense"], ("nonsense", "field=value")),
])  # fmt: skip
def test_a_setting_that_does_not_fit_is_refused(
    heedful: Callable, refused: Callable, text: Path, settings: list[str], parts: tuple[str, ...]
) -> None:
    small = ["data.vocabulary=300"] if not settings[0].startswith("model.vocabulary") else []
    found = tuple(part.replace("1,024", "tokens") for part in parts)
    refused(train(heedful, text, *small, *settings), 2, *found)
    assert not (text.parent / "run").exists()


def test_unknown_tasks_and_presets_are_refused(heedful: Callable, refused: Callable) -> None:
    refused(heedful("train", "genrate"), 2, "genrate", "'generate'")
    refused(heedful("train", "generate", "--config", "nanogtp-cpu"), 2, "'nanogpt-cpu'")
    refused(heedful("train", "generate", "--config", "missing.yaml"), 1, "missing.yaml")


def test_a_config_that_is_wrong_names_file_and_line(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("task: generate\nmodel:\n  widht: 8\n")
    refused(heedful("train", "generate", "--config", "mine.yaml"), 2, "mine.yaml line 3", "'width'")


@pytest.mark.parametrize(("content", "parts"), [
    (None, ("no text at",)),
    (b"", ("empty",)),
    (b"  \n \n", ("empty",)),
    (bytes(range(256)) * 40, ("binary",)),
    ("déjà vu\n".encode("latin-1") * 99, ("not utf-8", "latin-1")),
    (b"short", ("too short",)),
])  # fmt: skip
def test_a_text_that_cannot_be_read_is_refused(
    heedful: Callable, refused: Callable, tmp_path: Path, tiny: list[str], content: bytes | None, parts: tuple[str, ...]
) -> None:
    if content is not None:
        (tmp_path / "bad.txt").write_bytes(content)
    refused(heedful("train", "generate", "--data", "bad.txt", *tiny, "--out", "run"), 1, *parts)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def run(heedful: Callable, text: Path, tiny: list[str]) -> Path:
    """A run of two steps."""
    assert heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=2", "--out", "run").code == 0
    return text.parent / "run"


def test_a_folder_in_use_is_left_alone(heedful: Callable, refused: Callable, text: Path, tiny: list[str], run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    refused(heedful("train", "generate", "--data", text, *tiny, "--out", "run"), 2, "--resume", "--overwrite")
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    (text.parent / "other").mkdir()
    (text.parent / "other" / "letter.txt").write_text("dear")
    refused(heedful("train", "generate", "--data", text, *tiny, "--out", "other", "--overwrite"), 2, "other files")


def test_what_cannot_go_with_resume_is_said(heedful: Callable, refused: Callable, run: Path) -> None:
    refused(heedful("train", "generate", "--out", run, "--resume", "--overwrite"), 2, "--overwrite and --resume")
    refused(heedful("train", "generate", "--out", run, "--resume", "--set", "model.width=16"), 1, "another model")
    refused(heedful("train", "generate", "--out", "nowhere", "--resume"), 1, "not a run")


def test_a_checkpoint_cut_short_or_of_another_model_is_refused(
    heedful: Callable, refused: Callable, run: Path, text: Path, tiny: list[str]
) -> None:
    whole = (run / "best.safetensors").read_bytes()
    (run / "best.safetensors").write_bytes(whole[: len(whole) // 2])
    for command in (("predict", run, "to"), ("evaluate", run), ("explain", run, "to")):
        refused(heedful(*command), 1, "best.safetensors", "cut short")
    (run / "best.safetensors").write_bytes(b"not a checkpoint")
    refused(heedful("predict", run, "to"), 1, "best.safetensors")
    (run / "best.safetensors").write_bytes(whole)
    refused(heedful("evaluate", text), 1, "no checkpoint")


def test_a_checkpoint_of_another_kind_of_model_is_refused(
    heedful: Callable, refused: Callable, run: Path, text: Path, tiny: list[str]
) -> None:
    other = ["--set", "model.kind=recurrent", "--set", "model.hidden=8", "--set", "model.embedding=8", "--set", "data.tokenizer=char"]
    said = heedful("train", "generate", "--data", text, *other, "--set", "train.steps=1", "--set", "train.batch=2", "--out", "other")
    assert said.code == 0, said.error
    (run / "best.safetensors").write_bytes((text.parent / "other" / "best.safetensors").read_bytes())
    refused(heedful("predict", run, "to"), 1, "recurrent", "transformer")


def test_words_the_model_cannot_read_are_refused(heedful: Callable, refused: Callable, run: Path, tmp_path: Path) -> None:
    refused(heedful("predict", run, "Ω"), 2, "'Ω'", "vocabulary")
    (tmp_path / "greek.txt").write_text("Ω\n" * 50)
    refused(heedful("evaluate", run, "--data", "greek.txt"), 2, "'Ω'", "vocabulary")
    refused(heedful("evaluate", run, "--split", "test"), 1, "test part")
    refused(heedful("evaluate", run, "--stride", "9"), 2, "--stride is 9", "1 to 8")
    refused(heedful("predict", run, "to", "--threads", "0"), 2, "--threads")


def test_a_prompt_longer_than_the_places_is_refused(heedful: Callable, refused: Callable, text: Path, tiny: list[str]) -> None:
    words = [*tiny, "--set", "model.attention.position=learned", "--set", "train.steps=1", "--out", "run"]
    assert heedful("train", "generate", "--data", text, *words).code == 0
    refused(heedful("predict", "run", "to be, or not to be"), 2, "19 tokens", "at most 8")
    assert heedful("predict", "run", "to be", "--max-tokens", "30").code == 0


def test_a_full_disk_leaves_nothing_half_written(text: Path, tiny: list[str], process: Callable[..., subprocess.Popen[str]]) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    words = ["train", "generate", "--data", str(text), *tiny, "--set", "train.steps=2", "--out", "run"]
    with process(*words, prepare=small_files) as running:
        error = running.communicate(timeout=120)[1]
    assert running.returncode == 1
    last = error.strip().splitlines()[-1]
    assert last.startswith("heedful: cannot write")
    assert "Traceback" not in error
    left = {path.name for path in (text.parent / "run").iterdir()}
    assert left <= {"run.yaml", "tokenizer.json", "history.jsonl"}


def test_a_folder_without_the_right_to_write_is_one_line(heedful: Callable, refused: Callable, run: Path) -> None:
    refused(heedful("explain", run, "to", "--max-tokens", "2", "--out", "/proc/none/page.html"), 1)
