"""Models of pictures and words: a step is the whole pass, no word looks ahead, padding changes nothing, and a rule is learnt."""

from __future__ import annotations

import pytest
import torch

from heedful.data.captions.batches import CaptionBatch
from heedful.errors import ShapeError, UsageError
from heedful.models.caption.build import build_captioner
from heedful.models.caption.captioning import Captioning
from heedful.models.caption.show_attend_tell import unequal
from heedful.models.seq2seq.search import search_from
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, SpecError
from heedful.spec.captioner import CaptionerSpec, CaptionSpec, ShowAttendTellSpec
from heedful.spec.search import Search
from heedful.train.captions import words_of_picture
from heedful.train.pictures import numbers

SHAPE = {"size": 8, "channels": 1, "vocabulary": 7, "stem": (8,), "blocks": 1, "context": 12}
KINDS: dict[str, CaptionSpec] = {
    "captioner": CaptionerSpec(**SHAPE, width=16, decoder_layers=2, heads=2),
    "placed": CaptionerSpec(**SHAPE, width=16, layers=0, heads=2, attention=AttentionSpec(position=MechanismSpec("learned"))),
    "lstm": ShowAttendTellSpec(**SHAPE, width=16, embedding=8, hidden=12),
    "gru": ShowAttendTellSpec(**SHAPE, width=16, embedding=8, hidden=12, cell="gru", doubly=0.0),
}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest) -> Captioning:
    """One of each kind, in evaluation mode, in float64."""
    return build_captioner(KINDS[request.param]).double().eval()


def given(rows: int, texts: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(rows, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 8, (rows, texts, length), generator=generator)


def test_steps_are_the_whole_pass(model: Captioning) -> None:
    x, ids = given(3, 1, 7)
    whole = model(x, ids).logits[:, 0]
    writing = model.begin(x, ids[:, 0, :3])
    for t in range(3, 7):
        torch.testing.assert_close(model.step(ids[:, 0, t], writing), whole[:, t], rtol=1e-9, atol=1e-9)


def test_texts_of_one_picture_do_not_see_each_other(model: Captioning) -> None:
    x, ids = given(2, 3, 5)
    together = model(x, ids).logits
    for k in range(3):
        torch.testing.assert_close(model(x, ids[:, k : k + 1]).logits[:, 0], together[:, k], rtol=1e-9, atol=1e-9)


def test_no_word_looks_ahead(model: Captioning) -> None:
    x, ids = given(1, 1, 6)
    other = ids.clone()
    other[..., 4:] = (other[..., 4:] + 1) % 8
    torch.testing.assert_close(model(x, ids).logits[..., :4, :], model(x, other).logits[..., :4, :], rtol=1e-12, atol=1e-12)
    assert not torch.equal(model(x, ids).logits[..., 4, :], model(x, other).logits[..., 4, :])


def test_looks_are_shares_of_the_places(model: Captioning) -> None:
    x, ids = given(2, 2, 4)
    for trace in model(x, ids, trace=True).traces:
        assert trace.weights.shape[0::2] == (4, 4)
        assert trace.weights.shape[-1] == 16
        torch.testing.assert_close(trace.weights.sum(-1), torch.ones_like(trace.weights[..., 0]))


def test_writing_follows_its_rows(model: Captioning) -> None:
    x, ids = given(3, 1, 4)
    writing = model.begin(x, ids[:, 0, :2])
    index = torch.tensor([2, 0])
    writing.select(index)
    alone = model.begin(x[index], ids[index, 0, :2])
    torch.testing.assert_close(model.step(ids[index, 0, 2], writing), model.step(ids[index, 0, 2], alone), rtol=1e-9, atol=1e-9)


def test_beams_of_one_picture_change_places(model: Captioning) -> None:
    x, ids = given(1, 1, 3)
    ids = ids.expand(2, 1, 3).clone()
    ids[1] = (ids[0] + 1) % 8
    both = torch.cat([x, x])
    writing, alone = (model.begin(both, rows[:, 0, :2]) for rows in (ids, ids.flip(0)))
    writing.reorder(torch.tensor([1, 0]))
    last = torch.tensor([4, 5])
    torch.testing.assert_close(model.step(last, writing), model.step(last, alone), rtol=1e-9, atol=1e-9)


def test_one_beam_takes_the_likeliest_token(model: Captioning) -> None:
    x, ids = given(2, 1, 3)
    found = search_from(model, model.begin(x, ids[:, 0]), (2, 5), Search(beams=1), torch.device("cpu"))
    for row, (best,) in enumerate(found):
        text = [*ids[row, 0].tolist(), model.mark]
        for _ in range(5):
            text.append(int(model(x[row : row + 1], torch.tensor([[text]])).logits[0, 0, -1].argmax()))
            if text[-1] == model.mark:
                break
        said = text[4:]
        assert best.ids == (said[:-1] if said[-1] == model.mark else said)


@pytest.mark.parametrize("kind", ["captioner", "lstm"])
def test_a_rule_is_learnt(kind: str) -> None:
    torch.manual_seed(0)
    model = build_captioner(KINDS[kind])
    optimiser = torch.optim.AdamW(model.parameters(), 0.01)
    objective = words_of_picture()
    for step in range(60):
        optimiser.zero_grad()
        objective(model.train(), sides(32, step), None).loss.backward()
        optimiser.step()
    fresh = sides(64, 1000)
    with torch.inference_mode():
        said = model.eval()(numbers(fresh.pixels), fresh.ids).logits.argmax(-1)
    counts = fresh.labels >= 0
    assert float((said == fresh.labels)[counts].double().mean()) > 0.95


def sides(count: int, seed: int) -> CaptionBatch:
    """Pictures with a bright half: "1 1" says left and "2 2" right; asked "3", the answer is the other one."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 90, (count, 1, 8, 8), generator=generator).byte()
    right = torch.randint(0, 2, (count,), generator=generator)
    pixels[right == 0, :, :, :4] += 150
    pixels[right == 1, :, :, 4:] += 150
    here, there = right + 1, 2 - right
    mark, none = torch.full((count,), 7), torch.full((count,), -100)
    ids = torch.stack([torch.stack([mark, here, here, mark], 1), torch.stack([torch.full((count,), 3), mark, there, mark], 1)], 1)
    labels = torch.stack([torch.stack([here, here, mark, none], 1), torch.stack([none, there, mark, none], 1)], 1)
    return CaptionBatch(pixels, ids, labels)


def test_what_is_filled_up_changes_nothing() -> None:
    model = build_captioner(KINDS["captioner"]).eval()
    batch = sides(4, 0)
    wide = CaptionBatch(
        batch.pixels, *(torch.cat([part, torch.full((4, 2, 3), fill)], -1) for part, fill in ((batch.ids, 7), (batch.labels, -100)))
    )
    objective = words_of_picture()
    one, other = objective(model, batch, None), objective(model, wide, None)
    torch.testing.assert_close(one.loss, other.loss)
    assert other.logits is not None
    assert other.logits.shape[:3] == wide.labels.shape


def test_the_penalty_is_xus_mean_over_places() -> None:
    weights, labels = torch.rand(2, 3, 4).softmax(-1), torch.tensor([[1, 2, -100], [-100, -100, -100]])
    by_hand = sum((1 - float(weights[0, 0, i]) - float(weights[0, 1, i])) ** 2 for i in range(4)) / 4
    assert float(unequal(weights, labels)) == pytest.approx(by_hand, rel=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SpecError, match="no multiple of 4"):
        CaptionerSpec(size=6, stem=(4, 4))
    with pytest.raises(SpecError, match="not classified"):
        CaptionerSpec(labels=("a", "b"))
    with pytest.raises(UsageError, match="tokenizer's size"):
        build_captioner(CaptionerSpec(size=8, channels=1, stem=(4,)))
    with pytest.raises(UsageError, match="captioner"):
        build_captioner(DecoderSpec())
    model = build_captioner(KINDS["captioner"])
    with pytest.raises(ShapeError, match="reads pictures"):
        model(torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 2, dtype=torch.long))
    with pytest.raises(ShapeError, match="token 9"):
        model(torch.rand(1, 1, 8, 8), torch.full((1, 1, 2), 9))
