"""Small random models of the families that people use, each as its own configuration makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers as hf
from torch import Tensor

VOCABULARY = 99
PLAIN: Mapping[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**PLAIN, "num_key_value_heads": 2}
SLIDING = {**GROUPED, "sliding_window": 4}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2}
BOTH_SIDES = {
    **{
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("layers", 2), ("attention_heads", 4), ("ffn_dim", 48))
    },
    **{"vocab_size": VOCABULARY, "d_model": 32, "max_position_embeddings": 64, "forced_eos_token_id": None},
    **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2},
}
EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1}
LATENT = {"kv_lora_rank": 8, "q_lora_rank": 16, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 8}
DEEPSEEK = {**LATENT, "n_routed_experts": 4, "n_group": 2, "topk_group": 1, "num_experts_per_tok": 1, "moe_intermediate_size": 16}


@dataclass(frozen=True)
class Family:
    """A model class, how it is made, what it is for, and whether its heads can be cut out of its projections."""

    name: str
    make: Callable[[], Any]
    kind: Literal["decoder", "encoder", "seq2seq"] = "decoder"
    apart: bool = True


def of(name: str, settings: Mapping[str, Any], config: str | None = None) -> Callable[[], Any]:
    """A maker of the class `name` from its configuration."""
    stem = name.removesuffix("ForCausalLM").removesuffix("ForMaskedLM").removesuffix("ForConditionalGeneration").removesuffix("LMHeadModel")
    return lambda: getattr(hf, name)(getattr(hf, config or f"{stem}Config")(**settings))


SERVED = (
    Family("GPT-2", of("GPT2LMHeadModel", GPT2)),
    Family("Llama", of("LlamaForCausalLM", GROUPED)),
    Family("Qwen2", of("Qwen2ForCausalLM", {**SLIDING, "use_sliding_window": True, "max_window_layers": 1})),
    Family("Qwen3", of("Qwen3ForCausalLM", {**GROUPED, "head_dim": 8})),
    Family("Gemma2", of("Gemma2ForCausalLM", {**SLIDING, "head_dim": 8, "attn_logit_softcapping": 5.0})),
    Family("Gemma3", of("Gemma3ForCausalLM", {**SLIDING, "head_dim": 8, "num_hidden_layers": 6}, "Gemma3TextConfig")),
    Family("Mistral", of("MistralForCausalLM", SLIDING)),
    Family("Mixtral", of("MixtralForCausalLM", {**GROUPED, **EXPERTS})),
    Family(
        "gpt-oss",
        of("GptOssForCausalLM", {**SLIDING, "head_dim": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}, **EXPERTS}),
    ),
    Family("Phi", of("PhiForCausalLM", PLAIN)),
    Family("Phi-3", of("Phi3ForCausalLM", GROUPED)),
    Family("OPT", of("OPTForCausalLM", {**PLAIN, "ffn_dim": 48, "word_embed_proj_dim": 32})),
    Family("GPT-NeoX", of("GPTNeoXForCausalLM", PLAIN)),
    Family("GPTBigCode", of("GPTBigCodeForCausalLM", GPT2)),
    Family("OLMo 2", of("Olmo2ForCausalLM", GROUPED), apart=False),
    Family("Cohere 2", of("Cohere2ForCausalLM", SLIDING)),
    Family(
        "Llama 4",
        of(
            "Llama4ForCausalLM",
            {**GROUPED, "head_dim": 8, "intermediate_size_mlp": 48, "attention_chunk_size": 4, **EXPERTS},
            "Llama4TextConfig",
        ),
    ),
    Family("DeepSeek-V3", of("DeepseekV3ForCausalLM", {**PLAIN, "num_key_value_heads": 4, **DEEPSEEK}), apart=False),
    Family("BERT", of("BertForMaskedLM", PLAIN), "encoder"),
    Family("RoBERTa", of("RobertaForMaskedLM", PLAIN), "encoder"),
    Family(
        "DistilBERT",
        of("DistilBertForMaskedLM", {"vocab_size": VOCABULARY, "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4}),
        "encoder",
    ),
    Family("ALBERT", of("AlbertForMaskedLM", {**PLAIN, "embedding_size": 16}), "encoder"),
    Family(
        "ModernBERT",
        of("ModernBertForMaskedLM", {**PLAIN, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 4, "global_attn_every_n_layers": 2}),
        "encoder",
    ),
    Family(
        "T5",
        of(
            "T5ForConditionalGeneration",
            {"vocab_size": VOCABULARY, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0},
        ),
        "seq2seq",
    ),
    Family("BART", of("BartForConditionalGeneration", BOTH_SIDES), "seq2seq"),
)
REFUSED = {
    "Falcon": of("FalconForCausalLM", {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}),
    "BLOOM": of("BloomForCausalLM", {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "GPT-J": of("GPTJForCausalLM", {**GPT2, "rotary_dim": 8}),
    "MPT": of("MptForCausalLM", {"vocab_size": VOCABULARY, "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}),
    "DeBERTa": of("DebertaV2ForMaskedLM", PLAIN),
    "MPNet": of("MPNetForMaskedLM", PLAIN),
}


def made(family: Family) -> Any:
    """The family's model in evaluation mode, with weights large enough for attention to matter."""
    torch.manual_seed(0)
    model = family.make().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.2)
    model.set_attn_implementation("eager")
    return model


def batch(side: Literal["none", "left", "right"], family: Family) -> dict[str, Tensor]:
    """Three sequences of 11 tokens, two of them shorter and padded on a side."""
    torch.manual_seed(1)
    ids, mask = torch.randint(3, VOCABULARY, (3, 11)), torch.ones(3, 11, dtype=torch.long)
    if side == "left":
        mask[0, :4], mask[1, :1] = 0, 0
    if side == "right":
        mask[0, -4:], mask[1, -1:] = 0, 0
    more = {"decoder_input_ids": torch.randint(3, VOCABULARY, (3, 7))} if family.kind == "seq2seq" else {}
    return {"input_ids": ids.where(mask.bool(), 0), "attention_mask": mask, **more}
