"""Scenes with texts, somebody's own captions in every form, and what is refused of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

pytest.importorskip("sklearn")
pytest.importorskip("PIL")
from PIL import Image

from heedful.data.captions.batches import caption_batch
from heedful.data.captions.captions import Captions
from heedful.data.captions.grammar import Said, caption
from heedful.data.captions.scenes import kept_apart
from heedful.data.captions.sources import load_captions
from heedful.data.images.scenes import DARK, GROUND
from heedful.data.tokens import train_tokenizer
from heedful.errors import DataError
from heedful.spec.captions import CaptionDataSpec

SMALL = CaptionDataSpec(scenes=40, validation=0.2, test=0.2, unseen=0.2)


def test_scenes_are_told_as_they_are_made() -> None:
    found = load_captions(SMALL)
    assert [len(found.parts[part]) for part in ("train", "validation", "test")] == [40, 8, 8]
    part = found.parts["train"]
    assert part.scenes is not None
    for place, (texts, items) in enumerate(zip(part.texts, part.scenes.items, strict=True)):
        assert texts[0] == Said("", caption(items), "caption")
        assert len(texts) == 3
        assert len({said.question for said in texts}) == 3
        owner = part.scenes.owner[place]
        for number, item in enumerate(items, start=1):
            rows, columns = (owner == number).nonzero().double().unbind(1)
            reach = 10 / 2 / 32  # half the side of the largest square, 1.2 times 8 pixels
            assert float(((columns + 0.5) / 32 - item.x).abs().max()) < reach
            assert float(((rows + 0.5) / 32 - item.y).abs().max()) < reach
        lit = part.pixels[place, 0]
        assert int(lit[owner > 0].min()) > DARK
        assert int(lit[owner == 0].max()) < GROUND + 16


def test_scenes_are_the_same_each_time_and_part_by_part() -> None:
    whole, alone = load_captions(SMALL), load_captions(SMALL, ("test",))
    assert set(alone.parts) == {"test"}
    assert torch.equal(whole.parts["test"].pixels, alone.parts["test"].pixels)
    assert whole.parts["test"].texts == alone.parts["test"].texts
    assert not torch.equal(whole.parts["test"].pixels, whole.parts["validation"].pixels)


def test_pairs_that_are_kept_apart_stand_in_strange_scenes_alone() -> None:
    found = load_captions(SMALL)
    apart = {frozenset(pair.split(" with ")) for pair in found.apart}
    assert len(apart) == 9  # a fifth of the 45 pairs of ten nouns

    def has(part: Captions, place: int) -> bool:
        nouns = [item.noun for item in part.items(place)]
        return any(frozenset((a, b)) in apart for i, a in enumerate(nouns) for b in nouns[:i])

    assert not any(has(part, place) for part in found.parts.values() for place in range(len(part)))
    assert set(found.strange) == {"validation", "test"}
    assert all(has(part, place) for part in found.strange.values() for place in range(len(part)))


def test_no_pair_is_kept_apart_for_a_share_of_nothing() -> None:
    assert int(kept_apart(7, 0.0, 0).sum()) == 0
    assert int(kept_apart(7, 0.1, 0).sum()) == 2 * 2


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six pictures of one colour each."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(6):
        Image.new("RGB", (20 + i, 24), (40 * i, 10, 200)).save(folder / f"{i}.png")
    return folder


def test_a_table_of_captions_is_read(pictures: Path) -> None:
    lines = ["image,caption,split", *(f"{i}.png,picture {i},{'test' if i == 5 else 'train'}" for i in range(6)), "0.png,another of 0,train"]
    (pictures / "captions.csv").write_text("\n".join(lines))
    for source in (pictures, pictures / "captions.csv"):
        found = load_captions(CaptionDataSpec(str(source), size=16))
        assert (len(found.parts["train"]), len(found.parts["validation"]), len(found.parts["test"])) == (4, 1, 1)
        texts = {part.names[i]: part.texts[i] for part in found.parts.values() for i in range(len(part))}
        assert [said.answer for said in texts[str(pictures / "0.png")]] == ["picture 0", "another of 0"]
        assert found.parts["test"].texts == ((Said("", "picture 5", "caption"),),)
        assert found.parts["train"].pixels.shape[1:] == (3, 16, 16)
        assert found.nouns == ()


def test_questions_of_a_table_are_read(pictures: Path) -> None:
    rows = [{"file": f"{i}.png", "question": "what is it?" if i % 2 else "", "answer": f"number {i}"} for i in range(6)]
    (pictures / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = load_captions(CaptionDataSpec(str(pictures), size=16))
    said = {part.names[i]: part.texts[i][0] for part in found.parts.values() for i in range(len(part))}
    assert said[str(pictures / "3.png")] == Said("what is it?", "number 3", "question")
    assert said[str(pictures / "2.png")] == Said("", "number 2", "caption")


def test_texts_beside_pictures_are_read(pictures: Path) -> None:
    for i in range(6):
        (pictures / f"{i}.txt").write_text(f"picture {i}\nalso {i}\n")
    found = load_captions(CaptionDataSpec(str(pictures), size=16))
    assert sum(len(part) for part in found.parts.values()) == 6
    assert all(len(texts) == 2 for part in found.parts.values() for texts in part.texts)


@pytest.mark.parametrize(("table", "told"), [
    ("image,words\n0.png,x\n", "no column with a usual name for the text"),
    ("image,caption\n9.png,x\n", "row 1: 9.png: no such file"),
    ("image,caption\n0.png,\n", "row 1: nothing in column 'caption'"),
    ("image,caption\n0.png,x\n", "two or more are needed"),
    ("image,caption,split\n0.png,x,test\n", "no captions to learn from"),
    ("image,caption\n", "no rows in it"),
])  # fmt: skip
def test_tables_that_will_not_do_are_refused(pictures: Path, table: str, told: str) -> None:
    (pictures / "captions.csv").write_text(table)
    with pytest.raises(DataError, match=re.escape(told)):
        load_captions(CaptionDataSpec(str(pictures), size=16))


def test_a_folder_without_captions_or_classes_says_what_would_work(pictures: Path) -> None:
    with pytest.raises(DataError, match=r"a \.txt beside each picture"):
        load_captions(CaptionDataSpec(str(pictures)))


def test_items_larger_than_a_scene_are_refused() -> None:
    with pytest.raises(DataError, match=r"data\.size above"):
        load_captions(CaptionDataSpec("digits", size=8))


def test_questions_and_answers_become_tokens() -> None:
    tokens = train_tokenizer("word", ["what is it? a bag a boot"])
    texts = ((Said("", "a bag", "caption"), Said("what is it?", "a boot", "what")), (Said("", "a boot", "caption"),))
    found = caption_batch(Captions(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), texts), tokens, 16)
    mark = tokens.size
    assert found.ids.shape == found.labels.shape == (2, 2, 7)
    asked = tokens.encode(" what is it?").tolist()
    boot = tokens.encode(" a boot").tolist()
    assert found.ids[0, 1].tolist() == [*asked, mark, *boot]
    assert found.labels[0, 1].tolist() == [-100] * 4 + [*boot, mark]
    assert found.labels[1, 0].tolist() == [*boot, mark, -100, -100, -100, -100]
    assert bool((found.labels[1, 1] == -100).all())
    long = Captions(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), ((Said("what is it? " * 5, "x", "what"),),))
    with pytest.raises(DataError, match=r"model\.context"):
        caption_batch(long, tokens, 16)
