"""Heads and channels cut out: the same numbers as with them silenced, the best ones kept, and eight bits near the exact weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import Unsupported, UsageError
from heedful.layers.int8 import Int8Linear
from heedful.manage.objective import token_losses
from heedful.models.build import build
from heedful.models.decoder import Decoder
from heedful.models.encoder import Encoder
from heedful.models.quantise import quantise
from heedful.spec import AttentionSpec, DecoderSpec, MechanismSpec, RecurrentSpec
from heedful.spec.classifier import EncoderSpec
from heedful.spec.plain import build as from_plain
from heedful.spec.plain import plain
from heedful.spec.shape import LayerShape
from heedful.train.compress.activity import moments, worths
from heedful.train.compress.choose import Kept, channels_kept, heads_kept
from heedful.train.compress.compared import lost, saved
from heedful.train.compress.cut import cut
from heedful.train.compress.gates import Gating, gated_channels
from heedful.train.compress.layer import Layer, layers_of
from heedful.train.compress.planned import heads_of_row

SPEC = DecoderSpec(vocabulary=13, context=12, width=16, layers=2, heads=4, kv_heads=2, mlp_width=24)


def model(spec: DecoderSpec = SPEC) -> Decoder:
    made = Decoder(spec).eval()
    for weight in made.parameters():
        weight.data.add_(0.3 * torch.randn_like(weight))
    return made


def batches(number: int = 3) -> list[dict[str, Tensor]]:
    return [{"input_ids": torch.randint(13, (4, 12))} for _ in range(number)]


@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
@pytest.mark.parametrize("bias", [False, True])
def test_what_is_cut_out_is_what_was_silenced(kind: str, bias: bool) -> None:
    options = AttentionSpec(sinks=True, temperature=True, qk_norm=True)
    dense = model(replace(SPEC, mlp=kind, bias=bias, attention=options, norm="layer"))
    kept = [Kept((0, 2), (0, 1), tuple(range(0, 24, 3))), Kept((2, 3), (1,), tuple(range(24)))]
    small = cut(dense, kept).eval()
    silenced = Decoder(dense.spec).eval()
    silenced.load_state_dict(dense.state_dict())
    for layer, each in zip(silenced.layers, kept, strict=True):
        for head in set(range(4)) - {*each.heads}:
            layer.attention.out_proj.weight.data[:, head * 4 : head * 4 + 4] = 0
        layer.feed.down.weight.data[:, [c for c in range(24) if c not in each.channels]] = 0
    ids = torch.randint(13, (2, 12))
    torch.testing.assert_close(small(ids).logits, silenced(ids).logits, atol=2e-5, rtol=1e-4)
    assert small.spec.shapes == (LayerShape(2, 2, 8), LayerShape(2, 1, 24))
    assert from_plain(DecoderSpec, plain(small.spec)) == small.spec
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in dense.parameters())


def test_a_smaller_model_steps_through_its_cache() -> None:
    small = cut(model(), [Kept((0, 1), (0,), tuple(range(8))), Kept((1, 2), (0, 1), tuple(range(16)))]).eval()
    ids = torch.randint(13, (1, 9))
    cache = small.new_cache()
    with torch.no_grad():
        steps = torch.cat([small(ids[:, t : t + 1], cache=cache).logits for t in range(9)], dim=1)
    torch.testing.assert_close(steps, small(ids).logits, atol=1e-5, rtol=1e-4)


def test_old_files_have_layers_that_are_all_alike() -> None:
    data = {name: value for name, value in plain(SPEC).items() if name not in ("shapes", "weights", "adapter")}
    assert from_plain(DecoderSpec, data) == SPEC
    with pytest.raises(UsageError, match="one shape a layer"):
        replace(SPEC, shapes=(LayerShape(4, 2, 24),))


def test_worth_is_the_squared_derivative_along_the_units_own_output() -> None:
    dense, given = model(), batches(1)
    layers = layers_of(dense)
    cuts = {layers[0].out: layers[0].d, layers[1].down: 1}
    seen = moments(dense, list(cuts), given)
    found = worths(dense, cuts, seen, given)
    assert all(parameter.requires_grad for parameter in dense.parameters())
    for name, width in cuts.items():
        entered: list[Tensor] = []

        def hook(module: nn.Module, inputs: tuple[Tensor, ...], kept: list[Tensor] = entered) -> tuple[Tensor, ...]:
            kept.append(inputs[0].detach().requires_grad_())
            return (kept[-1], *inputs[1:])

        handle = dense.get_submodule(name).register_forward_pre_hook(hook)
        scored = token_losses(dense, given[0])
        (gradient,) = torch.autograd.grad(scored.total, entered)
        handle.remove()
        effect = (gradient * (entered[0] - seen[name].mean)).unflatten(-1, (-1, width)).sum(-1)
        torch.testing.assert_close(found[name], effect.square().sum((0, 1)) / (2 * scored.number))


def test_a_refit_loses_less_than_the_bare_cut_and_padding_is_not_seen() -> None:
    dense, given = model(), batches(40)
    names = [layer.down for layer in layers_of(dense)]
    seen = moments(dense, names, given)
    kept = [Kept((0, 1, 2, 3), (0, 1), tuple(range(16)))] * 2
    bare, fitted = (lost(dense, cut(dense, kept, each).eval(), batches(5)) for each in ({}, seen))
    assert fitted.kl < 0.8 * bare.kl
    ids = given[0]["input_ids"]
    mask = (torch.arange(16) < 12).expand(4, 16)
    padded = {"input_ids": torch.nn.functional.pad(ids, (0, 4)), "attention_mask": mask.long()}
    assert moments(dense, names, [padded])[names[0]].count == ids.numel()


def test_the_shapes_of_all_layers_are_chosen_together() -> None:
    layer = Layer("out", "down", heads=4, kv_heads=2, d=4, channels=8)
    worth = [torch.tensor([9.0, 1.0, 8.0, 1.0]), torch.tensor([0.1, 0.2, 0.3, 0.1])]
    assert heads_kept([layer, layer], worth, 0.5, alike=False) == [([0, 2], [0, 1]), ([1, 2], [0, 1])]
    assert heads_kept([layer, layer], worth, 0.375, alike=False) == [([0, 2], [0, 1]), ([2], [1])]
    assert [len(heads) for heads, _ in heads_kept([layer, layer], worth, 0.3, alike=True)] == [1, 1]
    assert channels_kept([torch.arange(24.0), -1 - torch.arange(24.0)], 0.5, alike=False) == [list(range(24)), list(range(8))]
    assert heads_of_row(("drop", "drop", "full", "drop"), layer) == ([2], [1])
    assert heads_of_row(("drop",) * 4, layer) == ([0], [0])


def test_learned_gates_close_the_channels_that_do_nothing_and_leave_the_model_alone() -> None:
    dense = model()
    idle = torch.arange(0, 24, 2)
    dense.layers[0].feed.down.weight.data[:, idle] = 0
    before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
    names = {layer.down: layer.channels for layer in layers_of(dense)}
    found = gated_channels(dense, names, batches(4), Gating(steps=60, rate=0.1))[layers_of(dense)[0].down]
    busy = torch.tensor([c for c in range(24) if c % 2])
    assert found[idle].max() < found[busy].mean()
    assert all(torch.equal(before[name], tensor) for name, tensor in dense.state_dict().items())


def test_eight_bits_are_near_the_exact_model_and_have_a_gradient() -> None:
    dense = model(replace(SPEC, bias=True))
    small = Decoder(replace(dense.spec, weights="int8")).eval()
    exact = Decoder(dense.spec).eval()
    exact.load_state_dict(dense.state_dict())
    small.load_state_dict(quantise(exact).state_dict())
    ids = torch.randint(13, (2, 12))
    with torch.no_grad():
        a, b = dense(ids).logits, small(ids).logits
        assert (a - b).norm() < 0.05 * a.norm()
        cache = small.new_cache()
        steps = torch.cat([small(ids[:, t : t + 1], cache=cache).logits for t in range(12)], dim=1)
        assert (steps - b).norm() < 0.03 * b.norm()  # activations are scaled call by call
    assert saved(dense, small, {"input_ids": ids}).bytes[1] < 0.7 * saved(dense, small, {"input_ids": ids}).bytes[0]
    small(ids).logits.sum().backward()
    assert small.embedding.weight.grad is not None


@pytest.mark.parametrize("sizes", [(1, 3, 5), (7, 129, 33), (100, 64, 48)])
def test_an_integer_product_is_the_product_of_the_rounded_numbers(sizes: tuple[int, int, int]) -> None:
    rows, k, n = sizes
    exact = nn.Linear(k, n)
    layer, x = Int8Linear.of(exact), torch.randn(rows, k) + 0.5
    with torch.no_grad():
        assert (layer(x) - exact(x)).norm() <= 0.03 * exact(x).norm()
        torch.testing.assert_close(layer(x, torch.ones(rows, n)), layer(x) + 1)
        constant = layer(torch.zeros(2, k))
        torch.testing.assert_close(constant, exact.bias.expand(2, n))


def test_what_cannot_be_cut_is_refused_by_name() -> None:
    kept = [Kept((0, 1), (0,), tuple(range(24)))] * 2
    for attention, name in (
        (AttentionSpec(score=MechanismSpec("additive")), "additive"),
        (AttentionSpec(position=MechanismSpec("alibi")), "alibi"),
    ):
        with pytest.raises(Unsupported, match=f"{name}.*--channels would work"):
            cut(model(replace(SPEC, attention=attention)), kept)
    with pytest.raises(Unsupported, match="eight bits already"):
        cut(Decoder(replace(SPEC, weights="int8")), kept)
    recurrent = build(RecurrentSpec(vocabulary=9, embedding=4, hidden=4))
    with pytest.raises(Unsupported, match="RecurrentLM"):
        layers_of(recurrent)


def test_an_encoder_is_cut_as_a_decoder_is_and_padding_is_left_out() -> None:
    spec = EncoderSpec(vocabulary=13, labels=("no", "yes"), context=12, width=16, layers=2, heads=4, mlp_width=24)
    dense = Encoder(spec).eval()
    for weight in dense.parameters():
        weight.data.add_(0.3 * torch.randn_like(weight))
    ids, lengths = torch.randint(1, 13, (6, 12)), torch.tensor([12, 9, 5, 12, 3, 7])
    given = [{"ids": ids, "lengths": lengths, "labels": torch.randint(2, (6,))}]
    names = [layer.down for layer in layers_of(dense)]
    assert moments(dense, names, given)[names[0]].count == int(lengths.sum())
    kept = [Kept((0, 3), (0, 3), tuple(range(8))), Kept((0, 1, 2, 3), (0, 1, 2, 3), tuple(range(24)))]
    small = cut(dense, kept).eval()
    silenced = Encoder(spec).eval()
    silenced.load_state_dict(dense.state_dict())
    silenced.layers[0].attention.out_proj.weight.data[:, 4:12] = 0
    silenced.layers[0].feed.down.weight.data[:, 8:] = 0
    torch.testing.assert_close(small(ids, lengths=lengths).logits, silenced(ids, lengths=lengths).logits, atol=1e-5, rtol=1e-4)
    assert from_plain(EncoderSpec, plain(small.spec)) == small.spec
    assert lost(dense, small, given).bound.blocks == 6
    narrow = Encoder(replace(small.spec, weights="int8")).eval()
    narrow.load_state_dict(quantise(small).state_dict())
    assert narrow(ids, lengths=lengths).logits.shape == (6, 2)
