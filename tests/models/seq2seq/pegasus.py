"""A Hugging Face Pegasus with the weights of a transformer of ours that has its shape: layer norms with biases, GELU, sinusoidal places."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from heedful.layers.block import TransformerBlock
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.seq2seq.transformer import Transformer


def as_pegasus(ours: Transformer) -> Any:
    """The model, in evaluation mode; our mark starts, pads and ends its texts."""
    from transformers import PegasusConfig, PegasusForConditionalGeneration

    spec = ours.spec
    config = PegasusConfig(
        vocab_size=spec.vocabulary + 1,
        d_model=spec.width,
        max_position_embeddings=spec.context + 1,
        encoder_layers=spec.layers,
        decoder_layers=spec.writing,
        encoder_attention_heads=spec.heads,
        decoder_attention_heads=spec.heads,
        encoder_ffn_dim=spec.reader.inner,
        decoder_ffn_dim=spec.writer.inner,
        activation_function="gelu",
        scale_embedding=True,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        pad_token_id=spec.vocabulary,
        bos_token_id=None,
        eos_token_id=spec.vocabulary,
        decoder_start_token_id=spec.vocabulary,
        forced_eos_token_id=None,
    )
    theirs = PegasusForConditionalGeneration(config).eval()
    with torch.no_grad():
        theirs.model.shared.weight.copy_(ours.embedding.weight)
        places = ours.places.encoding(torch.arange(spec.context + 1), spec.width, torch.float32)  # type: ignore[union-attr, operator]
        encoder, decoder = theirs.model.encoder, theirs.model.decoder
        for half, layers, last in ((encoder, ours.reading, ours.reading_norm), (decoder, ours.writing, ours.writing_norm)):
            half.embed_positions.weight.copy_(places)
            norm(half.layer_norm, last)
            for their, our in zip(half.layers, layers, strict=True):
                layer(their, our)
    theirs.tie_weights()
    theirs.generation_config.pad_token_id = theirs.generation_config.eos_token_id = spec.vocabulary
    return theirs


def layer(theirs: Any, ours: nn.Module) -> None:
    """One layer's weights."""
    assert isinstance(ours, TransformerBlock)
    attention(theirs.self_attn, ours.attention)
    norm(theirs.self_attn_layer_norm, ours.attention_norm)
    if ours.cross is not None and ours.cross_norm is not None:
        attention(theirs.encoder_attn, ours.cross)
        norm(theirs.encoder_attn_layer_norm, ours.cross_norm)
    norm(theirs.final_layer_norm, ours.feed_norm)
    for their, our in ((theirs.fc1, ours.feed.up), (theirs.fc2, ours.feed.down)):
        copied(their, our.weight, our.bias)  # type: ignore[arg-type, union-attr]


def attention(theirs: Any, ours: MultiHeadAttention) -> None:
    """Queries, keys and values, which ours packs into one matrix."""
    assert ours.in_proj_weight is not None
    assert ours.in_proj_bias is not None
    weights, biases = ours.in_proj_weight.chunk(3), ours.in_proj_bias.chunk(3)
    for name, weight, bias in zip((theirs.q_proj, theirs.k_proj, theirs.v_proj), weights, biases, strict=True):
        copied(name, weight, bias)
    copied(theirs.out_proj, ours.out_proj.weight, ours.out_proj.bias)


def norm(theirs: Any, ours: nn.Module) -> None:
    """A layer norm's weights."""
    copied(theirs, ours.weight, ours.bias)  # type: ignore[arg-type]


def copied(theirs: Any, weight: Tensor, bias: Tensor | None) -> None:
    """A weight and its bias."""
    theirs.weight.copy_(weight)
    if bias is not None:
        theirs.bias.copy_(bias)
