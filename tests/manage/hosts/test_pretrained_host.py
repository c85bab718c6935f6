"""The bridge to transformers at its edges: weights asked for, masks that a user brings, training, errors, half precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn
from transformers import AttentionInterface, BertConfig, BertForSequenceClassification, Cache, DynamicCache, LlamaConfig, LlamaForCausalLM

from heedful.errors import Unsupported
from heedful.manage.seen import Seen
from heedful.manage.watch import sites, watched
from manage.hosts.families import PLAIN, SERVED, batch, made

FAMILIES = {family.name: family for family in SERVED}


def plain(seen: Seen) -> Tensor:
    out: Tensor = seen.attend()
    return out


def llama() -> Any:
    return made(FAMILIES["Llama"])


@pytest.mark.parametrize("name", ["Llama", "BERT", "T5"])
def test_weights_are_given_where_they_are_asked_for(name: str) -> None:
    model, given = made(FAMILIES[name]), batch("left", FAMILIES[name])
    with torch.no_grad():
        dense = model(**given, output_attentions=True)
        with watched(model, plain):
            same = model(**given, output_attentions=True)
    fields = ("encoder_attentions", "decoder_attentions", "cross_attentions") if name == "T5" else ("attentions",)
    for field in fields:
        assert len(same[field]) == len(dense[field]) == 2
        for one, other in zip(same[field], dense[field], strict=True):
            rows = given["attention_mask"].bool() if one.shape[2] == 11 else torch.ones(3, one.shape[2], dtype=torch.bool)
            torch.testing.assert_close(one.transpose(1, 2)[rows], other.transpose(1, 2)[rows], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", ["bool", "float", "added"])
def test_a_mask_of_four_axes_that_the_user_brings(form: str) -> None:
    model, ids = llama(), batch("none", FAMILIES["Llama"])["input_ids"]
    allowed = torch.ones(3, 1, 11, 11, dtype=torch.bool).tril() & (torch.rand(3, 1, 11, 11) > 0.3) | torch.eye(11, dtype=torch.bool)
    added = torch.where(allowed, torch.randn(3, 1, 11, 11) if form == "added" else 0.0, torch.finfo(torch.float32).min)
    with torch.no_grad():
        dense = model(ids, attention_mask=added).logits
        with watched(model, plain):
            same = model(ids, attention_mask=allowed if form == "bool" else added).logits
    torch.testing.assert_close(same, dense, rtol=1e-5, atol=1e-5)


def test_packed_sequences_do_not_see_each_other() -> None:
    model, ids = llama(), batch("none", FAMILIES["Llama"])["input_ids"][:1]
    places, found = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5]]), set()

    def noted(seen: Seen) -> Tensor:
        found.add(repr(seen.mask))
        return plain(seen)

    with torch.no_grad(), watched(model, noted):
        together = model(ids, position_ids=places, use_cache=False).logits
        found_packed = set(found)
        apart = torch.cat([model(ids[:, :5]).logits, model(ids[:, 5:]).logits], dim=1)
    assert found_packed == {"Causal() & Documents(ids=<int64 (1, 11)>)"}
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)


def test_a_sequence_of_padding_alone_is_finite_and_disturbs_nothing() -> None:
    model, given = llama(), batch("none", FAMILIES["Llama"])
    with torch.no_grad(), watched(model, plain):
        before = model(**given).logits
        given["attention_mask"][1] = 0
        after = model(**given).logits
    assert bool(torch.isfinite(after).all())
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]], rtol=1e-6, atol=1e-6)


def test_dropout_is_handed_over_in_training_and_only_there() -> None:
    model = BertForSequenceClassification(BertConfig(**PLAIN, attention_probs_dropout_prob=0.25))
    given, found = batch("none", FAMILIES["BERT"]), []

    def noted(seen: Seen) -> Tensor:
        found.append(seen.options.get("dropout"))
        return plain(seen)

    for training in (True, False):
        model.train(training)
        with torch.no_grad(), watched(model, noted):
            model(**given)
    assert found == [0.25, 0.25, 0.0, 0.0]


@pytest.mark.parametrize("name", ["Llama", "Gemma2", "gpt-oss", "T5"])
def test_half_precision_stays_what_it_is(name: str) -> None:
    model, given = made(FAMILIES[name]).to(torch.bfloat16), batch("left", FAMILIES[name])
    with torch.no_grad():
        dense = model(**given).logits.float()
        exact = made(FAMILIES[name])(**given).logits
        with watched(model, plain):
            same = model(**given).logits
    assert same.dtype == torch.bfloat16
    rows = slice(None) if name == "T5" else given["attention_mask"].bool()
    error, usual = (same.float() - exact)[rows].abs().mean(), (dense - exact)[rows].abs().mean()
    assert error < 2 * usual


def test_everything_is_as_it_was_after_an_error() -> None:
    model = llama()
    model.set_attn_implementation("sdpa")

    def broken(seen: Seen) -> Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), watched(model, broken):
        model(**batch("none", FAMILIES["Llama"]))
    assert model.config._attn_implementation == "sdpa"
    assert not [name for name in AttentionInterface() if "heedful" in name]


def test_the_inner_of_two_watches_is_heard_and_the_outer_comes_back() -> None:
    model, given, heard = llama(), batch("none", FAMILIES["Llama"]), []

    def named(name: str) -> Any:
        return lambda seen: (heard.append(name), plain(seen))[1]

    with torch.no_grad(), watched(model, named("outer")):
        with watched(model, named("inner")):
            model(**given)
        model(**given)
    assert heard == ["inner"] * 2 + ["outer"] * 2


def test_another_model_of_the_same_configuration_attends_as_ever() -> None:
    config = LlamaConfig(**PLAIN)
    model, other = LlamaForCausalLM(config).eval(), LlamaForCausalLM(config).eval()
    given, count = batch("left", FAMILIES["Llama"]), []
    with torch.no_grad():
        dense = other(**given).logits
        with watched(model, lambda seen: (count.append(1), plain(seen))[1]):
            same = other(**given).logits
    rows = given["attention_mask"].bool()
    torch.testing.assert_close(same[rows], dense[rows], rtol=1e-5, atol=1e-5)
    assert not count


def test_a_model_inside_a_module_of_the_users_own() -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = llama()

        def forward(self, **given: Any) -> Tensor:
            logits: Tensor = self.inner(**given).logits
            return logits

    model, given = Wrapped(), batch("right", FAMILIES["Llama"])
    assert sites(model)[0].name == "inner.model.layers.0.self_attn"
    with torch.no_grad():
        dense = model(**given)
        with watched(model, plain):
            torch.testing.assert_close(
                model(**given)[given["attention_mask"].bool()], dense[given["attention_mask"].bool()], rtol=1e-5, atol=1e-5
            )


def test_a_continued_cache_and_several_steps_at_once() -> None:
    model, given = made(FAMILIES["Gemma2"]), batch("left", FAMILIES["Gemma2"])
    ids, mask = given["input_ids"], given["attention_mask"]

    def in_three() -> Tensor:
        cache: Cache = DynamicCache(config=model.config)
        cuts = [(0, 5), (5, 8), (8, 11)]
        return torch.cat([model(ids[:, a:b], attention_mask=mask[:, :b], past_key_values=cache).logits for a, b in cuts], dim=1)

    with torch.no_grad():
        dense = in_three()
        with watched(model, plain):
            same = in_three()
    torch.testing.assert_close(same[mask.bool()], dense[mask.bool()], rtol=1e-5, atol=1e-5)


def test_a_mask_for_other_keys_is_refused() -> None:
    model, ids = llama(), torch.randint(3, 99, (1, 5))
    with torch.no_grad(), watched(model, plain), pytest.raises(Unsupported, match="a mask for 7 keys came with 5 keys"):
        model(ids, attention_mask=torch.ones(1, 1, 5, 7, dtype=torch.bool))


def test_heads_of_another_size_than_announced_are_refused() -> None:
    model = LlamaForCausalLM(LlamaConfig(**PLAIN)).eval()
    model.model.layers[1].self_attn.head_dim = 4
    with torch.no_grad(), watched(model, plain):
        model.model.layers[1].self_attn.head_dim = 8
        with pytest.raises(Unsupported, match=r"layers.1.self_attn was taken for 4 heads on 4, 4 and 4 wide: found 4 on 4, 8 and 8"):
            model(torch.randint(3, 99, (1, 5)))


def test_pages_of_continuous_batching_are_refused() -> None:
    model = llama()
    with torch.no_grad(), watched(model, plain):
        attend = AttentionInterface()[model.config._attn_implementation]
        q = torch.zeros(1, 4, 3, 8)
        with pytest.raises(Unsupported, match="a dict keeps keys in pages: dynamic and static caches would work"):
            attend(model.model.layers[0].self_attn, q, q[:, :2], q[:, :2], None, cache={})


@pytest.mark.parametrize("name", ["ViT", "Whisper", "CLIP", "Wav2Vec2"])
def test_images_and_speech(name: str) -> None:
    model, given = SENSES[name]()
    model.eval().set_attn_implementation("eager")
    with torch.no_grad():
        dense = model(**given)[0]
        with watched(model, plain):
            same = model(**given)[0]
    torch.testing.assert_close(same, dense, rtol=1e-4, atol=1e-5)


def vit() -> tuple[Any, dict[str, Tensor]]:
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 8, "patch_size": 4}
    return hf.ViTForImageClassification(hf.ViTConfig(**small)), {"pixel_values": torch.randn(2, 3, 8, 8)}


def whisper() -> tuple[Any, dict[str, Tensor]]:
    sides = {
        f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 16))
    }
    config = hf.WhisperConfig(
        vocab_size=50,
        d_model=16,
        num_mel_bins=4,
        max_source_positions=8,
        max_target_positions=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **sides,
    )
    return hf.WhisperForConditionalGeneration(config), {
        "input_features": torch.randn(2, 4, 16),
        "decoder_input_ids": torch.randint(3, 50, (2, 5)),
    }


def clip() -> tuple[Any, dict[str, Tensor]]:
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = hf.CLIPConfig(
        text_config={**small, "vocab_size": 50, "eos_token_id": 49},
        vision_config={**small, "image_size": 8, "patch_size": 4},
        projection_dim=8,
    )
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    return hf.CLIPModel(config), {
        "input_ids": torch.randint(3, 50, (2, 7)),
        "attention_mask": mask,
        "pixel_values": torch.randn(2, 3, 8, 8),
    }


def wav2vec2() -> tuple[Any, dict[str, Tensor]]:
    small = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "conv_dim": (8,),
        "conv_kernel": (4,),
        "conv_stride": (4,),
    }
    config = hf.Wav2Vec2Config(
        **small, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, num_feat_extract_layers=1, vocab_size=20
    )
    return hf.Wav2Vec2ForCTC(config), {"input_values": torch.randn(2, 64), "attention_mask": torch.tensor([[1] * 64, [1] * 40 + [0] * 24])}


SENSES = {"ViT": vit, "Whisper": whisper, "CLIP": clip, "Wav2Vec2": wav2vec2}
