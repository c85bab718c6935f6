"""The whole model: padding, streams, steps and searches, over every kind of encoder, decoder and look."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.nn.functional import ctc_loss

from heedful.errors import ShapeError, UsageError
from heedful.models.speech.joint import Joint, searched
from heedful.models.speech.listener import Heard, Listener, build_listener, measured
from heedful.models.speech.prefix import advanced, empty, extended, frame_logs
from heedful.spec.listener import ConformerSpec, ListenerSpec, LSTMHearingSpec, SpellerSpec, TransformerSpellerSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.search import Search

WIDTH, BANDS, TOKENS = 16, 10, 5
ENCODERS = {
    "conformer": ConformerSpec(width=WIDTH, layers=2, heads=2, kernel=5, inner=24),
    "causal": ConformerSpec(width=WIDTH, layers=2, heads=2, kernel=5, inner=24, causal=True),
    "window": ConformerSpec(width=WIDTH, layers=2, heads=2, kernel=5, inner=24, causal=True, window=4),
    "lstm": LSTMHearingSpec(hidden=8),
    "past": LSTMHearingSpec(hidden=16, causal=True),
}
DECODERS = {
    "plain": SpellerSpec(embedding=6, hidden=12, look="plain"),
    "location": SpellerSpec(embedding=6, hidden=12, look="location", reach=5),
    "onward": SpellerSpec(embedding=6, hidden=12, look="location", reach=5, onward=1),
    "monotonic": SpellerSpec(embedding=6, hidden=12, look="monotonic"),
    "transformer": TransformerSpellerSpec(layers=1, heads=2),
}
PAIRS = [*itertools.product(ENCODERS, ["location"]), *itertools.product(["conformer"], DECODERS)]


def made(encoder: str = "conformer", decoder: str = "location", **fields: object) -> Listener:
    """A small model, ready to be used."""
    spec = ListenerSpec(
        vocabulary=TOKENS, bands=BANDS, context=12, stem=(6, 6), encoder=ENCODERS[encoder], decoder=DECODERS[decoder], dropout=0.0, **fields
    )
    return Listener(spec).eval()


@pytest.mark.parametrize(("encoder", "decoder"), PAIRS)
def test_padding_changes_nothing(encoder: str, decoder: str) -> None:
    model = made(encoder, decoder)
    x, ids = torch.randn(2, 43, BANDS), torch.tensor([[TOKENS, 1, 2], [TOKENS, 3, 3]])
    lengths = torch.tensor([43, 22])
    both = model(x, lengths, ids, trace=True)
    alone = model(x[1:, :22], lengths[1:], ids[1:], trace=True)
    count = int(both.heard.lengths[1])
    assert count == alone.heard.memory.shape[1] == math.ceil(22 / 4)
    torch.testing.assert_close(both.heard.memory[1:, :count], alone.heard.memory, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both.logits[1:], alone.logits, rtol=1e-4, atol=1e-5)
    assert not bool(both.alignment[1, :, count:].any())


@pytest.mark.parametrize("decoder", DECODERS)
def test_steps_are_the_whole(decoder: str) -> None:
    model = made(decoder=decoder)
    heard = model.hear(torch.randn(2, 30, BANDS), torch.tensor([30, 17]))
    ids = torch.tensor([[TOKENS, 1, 2, 0], [TOKENS, 3, 3, 4]])
    whole = model.speller(ids, *heard).logits
    writing = model.begin(heard)
    with torch.no_grad():
        steps = torch.stack([model.step(ids[:, t], writing) for t in range(4)], dim=1)
    torch.testing.assert_close(steps, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("encoder", ["causal", "window", "past"])
@pytest.mark.parametrize("chunk", [4, 12])
def test_a_stream_is_heard_as_the_whole(encoder: str, chunk: int) -> None:
    model = made(encoder)
    model.mean.normal_()
    x = torch.randn(1, 47, BANDS)
    held = model.fresh()
    with torch.no_grad():
        streamed = torch.cat([model.go_on(part, held) for part in x.split(chunk, dim=1)], dim=1)
        whole = model.hear(x, torch.tensor([47])).memory
    torch.testing.assert_close(streamed, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("encoder", ["causal", "window", "past"])
def test_a_causal_one_never_hears_what_is_to_come(encoder: str) -> None:
    model, x = made(encoder), torch.randn(1, 40, BANDS)
    other = x.clone()
    other[:, 21:] += 1.0
    length = torch.tensor([40])
    one, two = (model.hear(frames, length).memory for frames in (x, other))
    torch.testing.assert_close(one[:, :6], two[:, :6])  # frame 5 of the model ends at frame 20
    assert not torch.allclose(one[:, 6:], two[:, 6:])


def test_a_window_forgets() -> None:
    model, x = made("window"), torch.randn(1, 200, BANDS)
    other = x.clone()
    other[:, :8] += 1.0
    one, two = (model.hear(frames, torch.tensor([200])).memory for frames in (x, other))
    torch.testing.assert_close(one[:, -8:], two[:, -8:])


def test_what_wants_the_whole_says_so() -> None:
    with pytest.raises(UsageError, match="causal=true"):
        made("conformer").fresh()
    with pytest.raises(ShapeError, match="10 bands"):
        made().hear(torch.randn(1, 9, 3), torch.tensor([9]))
    with pytest.raises(UsageError, match="hears nothing"):
        build_listener(DecoderSpec())


def test_the_loss_is_both_shares() -> None:
    x, lengths = torch.randn(2, 40, BANDS), torch.tensor([40, 30])
    ids, labels = torch.tensor([[TOKENS, 1, 2], [TOKENS, 3, 0]]), torch.tensor([[1, 2, TOKENS], [3, TOKENS, -100]])
    model = made(ctc=0.25)
    with torch.no_grad():
        out = model(x, lengths, ids, labels=labels)
    tokens = torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), labels.flatten())
    rows = [
        ctc_loss(
            out.frames[i : i + 1, : out.heard.lengths[i]].log_softmax(-1).transpose(0, 1),
            torch.tensor([text]),
            out.heard.lengths[i : i + 1],
            torch.tensor([len(text)]),
            blank=TOKENS,
        )
        for i, text in enumerate([[1, 2], [3]])
    ]
    assert float(out.loss) == pytest.approx(0.75 * float(tokens) + 0.25 * float(sum(rows)) / 2, rel=1e-5)


def test_a_text_too_long_for_its_frames_costs_no_infinity() -> None:
    model = made()
    labels = torch.tensor([[1] * 9 + [TOKENS]])
    ids = torch.cat([torch.tensor([[TOKENS]]), labels[:, :-1]], dim=1)
    out = model.train()(torch.randn(1, 8, BANDS), torch.tensor([8]), ids, labels=labels)
    out.loss.backward()
    assert bool(torch.isfinite(out.loss))
    assert all(bool(torch.isfinite(weight.grad).all()) for weight in model.parameters() if weight.grad is not None)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_wide_search_finds_the_best_text_there_is(share: float) -> None:
    model = made()
    model.spec.__dict__["context"] = 3
    heard = model.hear(torch.randn(1, 16, BANDS), torch.tensor([16]))
    model.context = 3
    (found,) = searched(model, heard, Search(beams=64, length_penalty=0.0, best=1), share)
    texts = [text for n in range(3) for text in itertools.product(range(TOKENS), repeat=n)]
    best = max(texts, key=lambda text: worth(model, heard, text, share))
    assert found[0].ids == list(best)
    assert found[0].log_probability == pytest.approx(worth(model, heard, best, share), abs=1e-4)


def worth(model: Listener, heard: Heard, text: tuple[int, ...], share: float) -> float:
    """The weighted logarithms of a whole text."""
    ids = torch.tensor([[TOKENS, *text]])
    spelt = model.speller(ids, *heard).logits.log_softmax(-1)[0]
    own = sum(float(spelt[t, token].detach()) for t, token in enumerate([*text, TOKENS]))
    logs = frame_logs(model.frames(heard.memory).detach(), heard.lengths, TOKENS)
    prefix = empty(logs, TOKENS)
    for token in text:
        prefix = advanced(logs, prefix, torch.tensor([token]), TOKENS)
    return (1 - share) * own + share * float(extended(logs, prefix, TOKENS)[0, TOKENS])


def test_beams_of_many_recordings_are_those_of_each() -> None:
    model = made()
    x, lengths = torch.randn(3, 40, BANDS), torch.tensor([40, 22, 31])
    both = searched(model, model.hear(x, lengths), Search(beams=3))
    for row, length in enumerate(lengths.tolist()):
        (alone,) = searched(model, model.hear(x[row : row + 1, :length], lengths[row : row + 1]), Search(beams=3))
        # a batch's longest recording bounds how long a text may be, and these all end before
        if len(alone[0].ids) < model.context - 1:
            assert both[row][0].ids == alone[0].ids


def test_where_frames_are_sure_that_nothing_was_said_nothing_is() -> None:
    model = made()
    heard = model.hear(torch.randn(2, 24, BANDS), torch.tensor([24, 9]))
    assert all(each[0].ids for each in searched(model, heard, Search(beams=2), share=0.0))
    model.frames.bias.data[TOKENS] = 100.0
    assert [each[0].ids for each in searched(model, heard, Search(beams=2))] == [[], []]
    assert all(each[0].ids for each in searched(model, heard, Search(beams=2), share=0.0)), "the decoder alone says what it says"


@torch.no_grad()
def test_a_joint_step_is_the_sum_of_its_parts() -> None:
    model = made()
    heard = model.hear(torch.randn(1, 24, BANDS), torch.tensor([24]))
    writing = Joint(model, 0.3).begin(*heard)
    scores = Joint(model, 0.3).step(torch.tensor([TOKENS]), writing)[0]
    for token in range(TOKENS):
        spelt = float(model.speller(torch.tensor([[TOKENS]]), *heard).logits.log_softmax(-1)[0, 0, token])
        logs = frame_logs(model.frames(heard.memory).detach(), heard.lengths, TOKENS)
        begins = float(extended(logs, empty(logs, TOKENS), TOKENS)[0, token])
        assert float(scores[token]) == pytest.approx(0.7 * spelt + 0.3 * begins, abs=1e-5)


def test_bands_are_measured_over_what_is_real() -> None:
    model = made()
    x = torch.randn(2, 20, BANDS) * 3 + 5
    x[1, 12:] = 1e6
    measured(model, [(x, torch.tensor([20, 12]))])
    real = torch.cat([x[0], x[1, :12]])
    torch.testing.assert_close(model.mean, real.mean(0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(model.spread, real.std(0, correction=0), rtol=1e-4, atol=1e-4)
