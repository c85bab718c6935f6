"""The transformer: looks back only, steps equal the whole pass, mechanisms by configuration, memory, GPT-2 by configuration."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.models.decoder import Decoder
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec

SMALL = DecoderSpec(vocabulary=11, context=16, width=16, layers=2, heads=4, kv_heads=2)
NANOGPT = DecoderSpec(
    vocabulary=11,
    context=16,
    width=16,
    layers=2,
    heads=4,
    mlp="gelu",
    norm="layer",
    attention=AttentionSpec(position=MechanismSpec("learned")),
)


def attending(**fields: object) -> DecoderSpec:
    return replace(SMALL, attention=AttentionSpec(**fields))  # type: ignore[arg-type]


VARIANTS = {
    "default": SMALL,
    "nanogpt": NANOGPT,
    "sinusoidal": attending(position=MechanismSpec("sinusoidal")),
    "alibi": attending(position=MechanismSpec("alibi")),
    "t5": attending(position=MechanismSpec("t5")),
    "window": attending(mask=(MechanismSpec("window", {"size": 5}),)),
    "window and sinks": attending(mask=(MechanismSpec("window", {"size": 6}), MechanismSpec("strided", {"stride": 2}))),
    "additive": attending(score=MechanismSpec("additive")),
    "biased": attending(score=MechanismSpec("biased", {"radius": 4})),
    "query_biased": attending(score=MechanismSpec("query_biased"), position=None),
    "sparsemax, capped": attending(weighting=MechanismSpec("sparsemax"), softcap=5.0),
    "sinks, temperature, qk_norm": attending(sinks=True, temperature=True, qk_norm=True),
    "untied, biased layers": replace(SMALL, tied=False, bias=True),
    **{f"gate {name}": replace(SMALL, gate=MechanismSpec(name)) for name in ("se", "lpw", "laa", "eca", "cbam", "attention_gate")},
}


def model(spec: DecoderSpec = SMALL) -> Decoder:
    torch.manual_seed(0)
    lm = Decoder(spec).eval()
    with torch.no_grad():
        for weight in lm.parameters():  # away from the start, where much is zero or the identity
            weight.add_(0.05 * torch.randn_like(weight))
    return lm


def ids(t: int, batch: int = 2) -> torch.Tensor:
    return torch.randint(11, (batch, t), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("spec", VARIANTS.values(), ids=VARIANTS.keys())
def test_no_place_sees_a_later_token(spec: DecoderSpec) -> None:
    lm, tokens = model(spec), ids(12)
    changed = tokens.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 11
    before, after = lm(tokens).logits, lm(changed).logits
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-6)
    assert not torch.allclose(before[:, 7:], after[:, 7:], atol=1e-3)


@pytest.mark.parametrize("spec", VARIANTS.values(), ids=VARIANTS.keys())
def test_steps_through_a_cache_equal_the_whole_pass(spec: DecoderSpec) -> None:
    lm, tokens = model(spec), ids(12)
    cache = lm.new_cache()
    with torch.no_grad():
        parts = [lm(piece, cache=cache).logits for piece in tokens.split([5, 1, 1, 5], dim=1)]
        assert torch.allclose(torch.cat(parts, dim=1), lm(tokens).logits, atol=2e-5)


@pytest.mark.parametrize("spec", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_parameter_learns(spec: DecoderSpec) -> None:
    lm, tokens = model(spec).train(), ids(12)
    loss = lm(tokens, labels=tokens.roll(-1, 1)).loss
    assert loss is not None
    loss.backward()
    idle = [name for name, weight in lm.named_parameters() if weight.grad is None or not weight.grad.isfinite().all()]
    assert not idle


def test_a_window_cache_equals_a_window_mask() -> None:
    lm, tokens = model(), ids(15)
    masked = Decoder(attending(mask=(MechanismSpec("window", {"size": 4}),))).eval()
    masked.load_state_dict(lm.state_dict())
    cache = lm.new_cache(window=4)
    with torch.no_grad():
        steps = torch.cat([lm(piece, cache=cache).logits for piece in tokens.split([6, 1, 1, 7], dim=1)], dim=1)
        assert torch.allclose(steps, masked(tokens).logits, atol=1e-5)


def test_the_memory_of_a_segment_extends_the_context() -> None:
    spec = replace(SMALL, memory=8)
    lm, tokens = model(spec), ids(16)
    first, second = tokens.split(8, dim=1)
    memory = lm(first).memory
    assert [tuple(part.shape) for part in memory] == [(2, 8, 16)] * 2
    assert not memory[1].requires_grad
    with torch.no_grad():
        joined = lm(second, memory=memory).logits
        assert torch.allclose(joined, lm(tokens).logits[:, 8:], atol=1e-5)
        assert not torch.allclose(joined, lm(second).logits, atol=1e-3)


def test_a_memory_gets_no_gradient_and_keeps_its_length() -> None:
    lm, tokens = model(replace(SMALL, memory=6)).train(), ids(8)
    memory = lm(tokens).memory
    out = lm(tokens, labels=tokens, memory=memory)
    out.loss.backward()
    assert all(part.shape[1] == 6 and part.grad_fn is None for part in out.memory)


def test_a_memory_refuses_positions_at_the_embedding() -> None:
    with pytest.raises(Unsupported, match="rope, alibi"):
        Decoder(replace(NANOGPT, memory=4))


def test_traces_are_the_weights_of_every_layer() -> None:
    lm, tokens = model(), ids(6)
    out = lm(tokens, trace=True)
    assert [trace.name for trace in out.traces] == ["layer 1", "layer 2"]
    assert torch.allclose(out.traces[0].weights.sum(-1), torch.ones(2, 4, 6), atol=1e-5)
    assert torch.allclose(out.logits, lm(tokens).logits, atol=1e-5)


def test_a_new_model_knows_nothing() -> None:
    lm, tokens = Decoder(SMALL), ids(16, batch=8)
    loss = lm(tokens, labels=tokens.roll(-1, 1)).loss
    assert loss is not None
    assert loss.item() == pytest.approx(math.log(11), abs=0.1)


def test_more_tokens_than_places_are_refused_in_one_line() -> None:
    lm = model(NANOGPT)
    with pytest.raises(ShapeError, match="17 tokens are more than the 16"):
        lm(ids(17))
    cache = lm.new_cache()
    with torch.no_grad():
        lm(ids(16), cache=cache)
        with pytest.raises(ShapeError, match="17 tokens"):
            lm(ids(1), cache=cache)


def test_rope_has_no_limit() -> None:
    assert model()(ids(40)).logits.shape == (2, 40, 11)


def test_a_token_outside_the_vocabulary_is_named() -> None:
    with pytest.raises(ShapeError, match="token 11 is not in this model's vocabulary of 11"):
        model()(torch.tensor([[3, 11]]))
    with pytest.raises(ShapeError, match="token -1 is not"):
        model()(torch.tensor([[3, -1]]))
    with pytest.raises(ShapeError, match=r"tokens are \(b, t\): found \(3,\)"):
        model()(torch.tensor([3, 1, 2]))


@pytest.mark.parametrize(("fields", "message"), [
    ({"score": MechanismSpec("scaled_dto")}, "did you mean 'scaled_dot'"),
    ({"position": MechanismSpec("ropes")}, "did you mean 'rope'"),
    ({"mask": (MechanismSpec("window", {"sise": 3}),)}, "did you mean 'size'"),
])  # fmt: skip
def test_unknown_names_are_refused_with_the_nearest(fields: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Decoder(attending(**fields))


def test_a_model_without_a_vocabulary_is_refused() -> None:
    with pytest.raises(UsageError, match="vocabulary"):
        Decoder(replace(SMALL, vocabulary=0))


class PlainGPT(nn.Module):
    """GPT-2 in plain torch, without biases, reading a Decoder's own weights: the architecture of nanoGPT."""

    def __init__(self, lm: Decoder) -> None:
        super().__init__()
        self.lm = lm

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        lm = self.lm
        x = lm.embedding.weight[tokens] + lm.places.weight[: tokens.shape[1]]  # type: ignore[union-attr]
        for layer in lm.layers:
            h = F.layer_norm(x, (16,), layer.attention_norm.weight)
            q, k, v = (h @ layer.attention.in_proj_weight.T).split(16, dim=-1)
            heads = [part.view(*part.shape[:2], 4, 4).transpose(1, 2) for part in (q, k, v)]
            read = F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2)
            x = x + read @ layer.attention.out_proj.weight.T
            h = F.layer_norm(x, (16,), layer.feed_norm.weight)
            x = x + F.gelu(h @ layer.feed.up.weight.T) @ layer.feed.down.weight.T
        return F.layer_norm(x, (16,), lm.norm.weight) @ lm.embedding.weight.T


def test_nanogpt_by_configuration_equals_plain_torch() -> None:
    lm, tokens = model(NANOGPT), ids(16)
    assert torch.allclose(lm(tokens).logits, PlainGPT(lm)(tokens), atol=1e-5)
    d, layers, vocabulary, context = 16, 2, 11, 16
    assert sum(p.numel() for p in lm.parameters()) == vocabulary * d + context * d + layers * (12 * d * d + 2 * d) + d


def test_the_start_is_gpt2s() -> None:
    torch.manual_seed(0)
    lm = Decoder(replace(NANOGPT, width=64, heads=4, layers=8))
    layer = lm.layers[0]
    assert layer.attention.in_proj_weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert layer.attention.out_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.1)
    assert layer.feed.down.weight.std().item() == pytest.approx(0.02 / 4, rel=0.1)
    assert lm.embedding.weight.std().item() == pytest.approx(0.02, rel=0.15)


def test_reordered_cache_continues_the_chosen_rows() -> None:
    lm, tokens = model(replace(SMALL, gate=MechanismSpec("se"))), ids(6)
    cache = lm.new_cache()
    again = torch.tensor([[3], [4], [5]])
    with torch.no_grad():
        lm(tokens, cache=cache)
        cache.reorder(torch.tensor([1, 1, 0]))
        whole = lm(torch.cat([tokens[[1, 1, 0]], again], dim=1)).logits[:, -1]
        assert torch.allclose(lm(again, cache=cache).logits[:, -1], whole, atol=1e-5)
