"""Projections read head by head, in every layout: put together again they compute what the model computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from einops import einsum, rearrange
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, GPTBigCodeConfig, GPTBigCodeForCausalLM

from heedful.errors import Unsupported
from heedful.manage.hosts.projections import Block, projections
from heedful.manage.seen import Seen
from heedful.manage.watch import sites, watched
from manage.hosts.families import PLAIN, SERVED, Family, made

APART = [family for family in SERVED if family.apart]
# Neither rotated nor scaled on the way from the projection to the scores.
AS_PROJECTED = ("GPT-2", "GPTBigCode", "BERT", "RoBERTa", "DistilBERT", "ALBERT", "T5", "BART")


def entered(model: nn.Module, name: str, store: dict[str, Tensor]) -> Any:
    """Keep the hidden states that a module is first given, by position or by name."""

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        store.setdefault(name, args[0] if args else kwargs["hidden_states"])

    return model.get_submodule(name).register_forward_pre_hook(hook, with_kwargs=True)


def heads(block: Block, x: Tensor) -> Tensor:
    out = einsum(x, block.weight, "b t m, h d m -> b h t d")
    return out if block.bias is None else out + block.bias[:, None]


@pytest.mark.parametrize("family", APART, ids=lambda family: family.name)
def test_the_blocks_compute_what_the_model_computes(family: Family) -> None:
    model, seen, streams, left = made(family), {}, {}, {}
    site = sites(model)[0]
    found = projections(model, site)
    handles = [entered(model, site.name, streams), entered(model, found.o.name, left)]

    def noted(call: Seen) -> Tensor:
        out: Tensor = call.attend()
        seen.setdefault(call.site.index, (call, out))
        return out

    given = {"input_ids": torch.randint(3, 99, (2, 7))} | (
        {"decoder_input_ids": torch.randint(3, 99, (2, 3))} if family.kind == "seq2seq" else {}
    )
    with torch.no_grad(), watched(model, noted):
        model(**given)
    for handle in handles:
        handle.remove()
    call, out = seen[0]
    with torch.no_grad():
        q, v = heads(found.q, streams[site.name]), heads(found.v, streams[site.name])
        torch.testing.assert_close(v, call.v, rtol=1e-4, atol=1e-5)
        if family.name in AS_PROJECTED:
            torch.testing.assert_close(q, call.q, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(heads(found.k, streams[site.name]), call.k, rtol=1e-4, atol=1e-5)
        joined = einsum(out, found.o.weight, "b h t v, h v m -> b t m")
        whole = rearrange(out, "b h t v -> b t (h v)") @ found.o.matrix.mT
        torch.testing.assert_close(joined, whole, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(left[found.o.name], rearrange(out, "b h t v -> b t (h v)"))


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "GPT-NeoX", "BERT"])
def test_some_heads_alone_in_another_order(name: str) -> None:
    model = made(next(family for family in SERVED if family.name == name))
    found = projections(model, sites(model)[0])
    x, out = torch.randn(2, 5, 32), torch.randn(2, 2, 5, 8)
    with torch.no_grad():
        kept = rearrange(found.q.only([3, 1])(x), "b t (h d) -> b h t d", h=2)
        torch.testing.assert_close(kept, heads(found.q, x)[:, [3, 1]])
        ended = found.o.only([3, 1])(rearrange(out, "b h t v -> b t (h v)"))
        bias = 0.0 if found.o.whole_bias is None else found.o.whole_bias
        torch.testing.assert_close(ended, einsum(out, found.o.weight[[3, 1]], "b h t v, h v m -> b t m") + bias)


@pytest.mark.parametrize(
    ("name", "reason"), [("OLMo 2", "q_norm is over all heads together, 32 wide"), ("DeepSeek-V3", "none of the known layouts")]
)
def test_layouts_that_cannot_be_cut_say_why(name: str, reason: str) -> None:
    model = made(next(family for family in SERVED if family.name == name))
    with pytest.raises(Unsupported, match=f"layers.0.self_attn: its heads cannot be taken apart: .*{reason}"):
        projections(model, sites(model)[0])


def test_crossing_attention_of_gpt2_is_another_layout() -> None:
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=99, n_embd=32, n_layer=1, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=2, add_cross_attention=True)
    )
    own, crossing = sites(model)
    assert (own.kind, crossing.kind, crossing.causal) == ("self", "cross", False)
    projections(model, own)
    with pytest.raises(Unsupported, match="crossattention: its heads cannot be taken apart"):
        projections(model, crossing)


def test_bigcode_with_a_key_for_each_head_keeps_them_head_by_head() -> None:
    settings = {"vocab_size": 99, "n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2}
    model = made(Family("x", lambda: GPTBigCodeForCausalLM(GPTBigCodeConfig(**settings, multi_query=False))))
    attention, x = model.transformer.h[0].attn, torch.randn(1, 3, 32)
    found, packed = projections(model, sites(model)[0]), attention.c_attn(x).view(1, 3, 4, 24).transpose(1, 2)
    torch.testing.assert_close(heads(found.k, x), packed[..., 8:16])
    assert PLAIN


def test_maps_with_something_on_them_are_refused() -> None:
    class Adapted(nn.Linear):
        """Stands for LoRA's and eight-bit ones: what they compute is not their weight alone."""

    model = made(next(family for family in SERVED if family.name == "Llama"))
    model.model.layers[0].self_attn.v_proj = Adapted(32, 16)
    with pytest.raises(Unsupported, match=r"self_attn.v_proj is a .*Adapted, no plain linear map"):
        projections(model, sites(model)[0])
