"""Tokens with the cache are the tokens without it; windows, limits and seeds hold for texts of any length."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from heedful.errors import ShapeError
from heedful.models.build import build
from heedful.models.decoder import Decoder
from heedful.models.language_model import LanguageModel
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, ModelSpec, RecurrentSpec
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.stream import stream

ROPE = DecoderSpec(vocabulary=31, context=48, width=16, layers=2, heads=4, kv_heads=2)
MODELS: dict[str, ModelSpec] = {
    "rope": ROPE,
    "learned": replace(ROPE, attention=AttentionSpec(position=MechanismSpec("learned"))),
    "alibi and a gate": replace(ROPE, attention=AttentionSpec(position=MechanismSpec("alibi")), gate=MechanismSpec("se")),
    "windowed": replace(ROPE, attention=AttentionSpec(mask=(MechanismSpec("window", {"size": 7}),))),
    "recurrent": RecurrentSpec(vocabulary=31, context=48, embedding=16, hidden=16),
}
PROMPT = torch.tensor([3, 1, 4, 1, 5])


def model(spec: ModelSpec) -> LanguageModel:
    torch.manual_seed(0)
    lm = build(spec).eval()
    for weight in lm.parameters():  # an untrained model is nearly uniform: make it say something
        weight.data.add_(0.3 * torch.randn_like(weight))
    return lm


def made(lm: LanguageModel, ending: Ending, sampling: Sampling = Sampling(), seed: int = 0, prompt: torch.Tensor = PROMPT) -> list[int]:  # noqa: B008
    return [each.token for each in stream(lm, prompt, sampling, ending, torch.Generator().manual_seed(seed))]


@pytest.mark.parametrize(
    "sampling", [Sampling(temperature=0.0), Sampling(), Sampling(top_k=5, repetition_penalty=1.3)], ids=["greedy", "drawn", "narrowed"]
)
@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS.keys())
def test_tokens_with_the_cache_are_those_without_it(spec: ModelSpec, sampling: Sampling) -> None:
    lm = model(spec)
    cached = made(lm, Ending(max_tokens=40), sampling)
    assert cached == made(lm, Ending(max_tokens=40, no_cache=True), sampling)
    assert len(cached) == 40


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS.keys())
def test_the_surprise_is_the_models_own(spec: ModelSpec) -> None:
    lm = model(spec)
    steps = list(stream(lm, PROMPT, Sampling(temperature=0.7, top_k=3), Ending(max_tokens=20), torch.Generator().manual_seed(0)))
    text = torch.cat([PROMPT, torch.tensor([step.token for step in steps])])
    with torch.no_grad():
        losses = -lm(text[None]).logits[0].log_softmax(-1)[4:-1].gather(1, text[5:, None])[:, 0]
    assert torch.allclose(torch.tensor([step.surprise for step in steps]), losses, atol=1e-4)


def test_a_window_cache_says_what_a_window_mask_says_however_long_the_text() -> None:
    lm = model(ROPE)
    masked = Decoder(replace(ROPE, attention=AttentionSpec(mask=(MechanismSpec("window", {"size": 9}),)))).eval()
    masked.load_state_dict(lm.state_dict())
    windowed = made(lm, Ending(max_tokens=100, window=9))
    assert windowed == made(masked, Ending(max_tokens=100, window=200))
    assert windowed != made(lm, Ending(max_tokens=100, window=200))


def test_the_window_is_the_models_reach_unless_asked() -> None:
    lm = model(ROPE)
    assert made(lm, Ending(max_tokens=90)) == made(lm, Ending(max_tokens=90, window=48))
    assert made(lm, Ending(max_tokens=90)) != made(lm, Ending(max_tokens=90, window=20))


def test_a_model_with_a_limit_goes_on_past_it() -> None:
    lm = model(MODELS["learned"])
    assert lm.limit == 48
    assert len(made(lm, Ending(max_tokens=130))) == 130
    assert made(lm, Ending(max_tokens=43)) == made(lm, Ending(max_tokens=43, no_cache=True))


def test_a_prompt_beyond_the_limit_is_refused_and_one_beyond_the_context_is_not() -> None:
    long = torch.arange(60) % 31
    with pytest.raises(ShapeError, match="the prompt has 60 tokens, this model places at most 48"):
        made(model(MODELS["learned"]), Ending(max_tokens=1), prompt=long)
    assert len(made(model(ROPE), Ending(max_tokens=3), prompt=long)) == 3


def test_an_empty_prompt_is_refused_here() -> None:
    with pytest.raises(ShapeError, match="empty prompt"):
        made(model(ROPE), Ending(), prompt=torch.empty(0, dtype=torch.long))


def test_the_seed_decides() -> None:
    lm = model(ROPE)
    assert made(lm, Ending(max_tokens=30), seed=1) == made(lm, Ending(max_tokens=30), seed=1)
    assert made(lm, Ending(max_tokens=30), seed=1) != made(lm, Ending(max_tokens=30), seed=2)


def test_no_tokens_asked_none_made() -> None:
    assert made(model(ROPE), Ending(max_tokens=0)) == []
