"""Recordings from tables, folders, zips and nowhere, in parts that share nothing."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from heedful.data.audio.sources import load_speech
from heedful.errors import DataError, UsageError
from heedful.spec.audio import FrameSpec, JoinSpec, SpeechDataSpec

soundfile = pytest.importorskip("soundfile")


def tone(path: Path, seconds: float = 0.1) -> Path:
    """A short recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(int(8000 * seconds), 0.1), 8000)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Two digits, three speakers, eight takes, named as the Free Spoken Digit Dataset's."""
    for digit in (3, 7):
        for speaker in ("ann", "ben", "cal"):
            for take in range(8):
                tone(tmp_path / "digits" / f"{digit}_{speaker}_{take}.wav")
    return tmp_path / "digits"


def test_names_say_words_and_speakers(digits: Path) -> None:
    found = load_speech(SpeechDataSpec(str(digits)))
    assert len(found.part("train")) + len(found.part("validation")) == 48
    assert not len(found.part("test"))
    assert set(found.part("whole").texts) == {"three", "seven"}
    assert set(found.part("whole").speakers) == {"ann", "ben", "cal"}


def test_the_digits_own_split_is_by_take(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "fsdd").mkdir(parents=True)
    with ZipFile(tmp_path / "home" / "fsdd" / "recordings.zip", "w") as archive:
        for path in digits.iterdir():
            archive.write(path, f"recordings/{path.name}")
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path / "home"))
    found = load_speech(SpeechDataSpec("fsdd"))
    takes = {part: {int(name.split("_")[-1].removesuffix(".wav")) for name in found.part(part).names} for part in ("train", "test")}
    assert takes["test"] == {0, 1, 2, 3, 4}
    assert takes["train"] <= {5, 6, 7}
    assert not set(found.part("train").names) & set(found.part("validation").names)


def test_a_speaker_is_left_out(digits: Path) -> None:
    found = load_speech(SpeechDataSpec(str(digits), leave="ben"))
    assert set(found.part("test").speakers) == {"ben"}
    assert len(found.part("test")) == 16
    assert "ben" not in {*found.part("train").speakers, *found.part("validation").speakers}
    with pytest.raises(UsageError, match="ann, ben, cal"):
        load_speech(SpeechDataSpec(str(digits), leave="dan"))


def test_sequences_are_of_one_speaker_and_one_part(digits: Path) -> None:
    join = JoinSpec(fewest=2, most=4, train=20, validation=5, test=5, shortest=0.1, longest=0.2)
    found = load_speech(SpeechDataSpec(str(digits), test=0.25, join=join))
    names: dict[str, set[str]] = {}
    for part in ("train", "validation", "test"):
        some = found.part(part)
        for i in range(len(some)):
            one = some.utterance(i)
            pieces = one.name.split("+")
            assert len(pieces) == len(one.text.split()) in (2, 3, 4)
            assert len({piece.split("_")[1] for piece in pieces}) == 1
            least = len(pieces) * 800 + (len(pieces) - 1) * 800
            assert least <= len(one.wave) <= least + (len(pieces) - 1) * 800 + 1602
            names.setdefault(part, set()).update(pieces)
    assert not names["train"] & names["test"]
    again = load_speech(SpeechDataSpec(str(digits), test=0.25, join=join))
    assert torch.equal(again.part("train").samples, found.part("train").samples)


def test_a_table_names_files_texts_speakers_and_parts(tmp_path: Path) -> None:
    rows = ["path,transcript,speaker,split"]
    for i in range(6):
        tone(tmp_path / "clips" / f"{i}.wav")
        rows.append(f"clips/{i}.wav,hello there {i},{'ab'[i % 2]},{'test' if i > 3 else 'train'}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    for source in (tmp_path / "list.csv", tmp_path):
        found = load_speech(SpeechDataSpec(str(source)))
        assert found.part("test").texts == ("hello there 4", "hello there 5")
        assert found.part("test").speakers == ("a", "b")
    (tmp_path / "list.csv").write_text("path,transcript\nclips/none.wav,hello\n")
    with pytest.raises(DataError, match=r"row 1: clips/none\.wav: no such file"):
        load_speech(SpeechDataSpec(str(tmp_path / "list.csv")))


def test_folders_are_words(tmp_path: Path) -> None:
    for word in ("go", "stop"):
        for i in range(4):
            tone(tmp_path / "words" / word / f"0a{i}b_nohash_{i}.wav")
    found = load_speech(SpeechDataSpec(str(tmp_path / "words")))
    assert set(found.part("whole").texts) == {"go", "stop"}
    assert "0a1b" in found.part("whole").speakers


def test_another_rate_is_heard_at_it() -> None:
    found = load_speech(SpeechDataSpec("voices", frames=FrameSpec(rate=16000)))
    slow = load_speech(SpeechDataSpec("voices"))
    assert found.rate == 16000
    assert abs(found.part("test").seconds - slow.part("test").seconds) < 0.01


def test_what_will_not_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    (tmp_path / "empty").mkdir()
    tone(tmp_path / "other" / "take one.wav")
    tone(tmp_path / "single" / "yes" / "a.wav")
    (tmp_path / "bad.zip").write_text("no zip")
    for source, said in [
        ("voicse", "did you mean 'voices'"),
        (str(tmp_path / "empty"), "no recordings in it"),
        (str(tmp_path / "other"), "neither its name"),
        (str(tmp_path / "single"), "two or more are needed"),
        (str(tmp_path / "bad.zip"), "not a whole zip"),
        (str(tone(tmp_path / "a" / "one.wav")), "one file"),
    ]:
        with pytest.raises(DataError, match=said):
            load_speech(SpeechDataSpec(source))


@pytest.mark.data
def test_the_real_sets_have_what_their_authors_say() -> None:
    from heedful.data.sources import data_home

    if not (data_home() / "fsdd").is_dir():
        pytest.skip("the spoken digits are not under $HEEDFUL_DATA")
    found = load_speech(SpeechDataSpec("fsdd"))
    assert {part: len(found.part(part)) for part in ("train", "validation", "test")} == {"train": 2430, "validation": 270, "test": 300}
    assert len(set(found.part("test").speakers)) == 6
    yes = load_speech(SpeechDataSpec("yesno", test=0.5))
    assert len(yes.part("whole")) == 60
    assert all(len(text.split()) == 8 for text in yes.part("whole").texts)
