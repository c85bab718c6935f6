"""From a model's spec to the mechanisms it names: layers, their attention and gates, and positions at the embedding."""

from __future__ import annotations

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Shape, create, find
from heedful.attention.positions.learned import Learned
from heedful.attention.positions.position import Position
from heedful.attention.positions.sinusoidal import Sinusoidal
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.biased import Biased
from heedful.attention.scores.query_biased import QueryBiased
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.errors import Unsupported
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.table import GATES
from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.span import AdaptiveSpan
from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.classifier import EncoderSpec
from heedful.spec.model import DecoderSpec

AtEmbedding = Learned | Sinusoidal
TransformerSpec = DecoderSpec | EncoderSpec


def block(spec: TransformerSpec) -> TransformerBlock:
    """One layer."""
    return TransformerBlock(
        attention(spec),
        mlp(spec.mlp, spec.width, spec.inner, spec.bias),
        gate=gate(spec),
        norm=spec.norm,
        norm_bias=spec.bias,
        dropout=spec.dropout,
    )


def attention(spec: TransformerSpec) -> MultiHeadAttention:
    """One layer's attention; a decoder's is causal whatever else its mask says."""
    chosen, shape = spec.attention, shape_of(spec)
    return MultiHeadAttention(
        spec.width,
        spec.heads,
        kv_heads=spec.groups,
        head_dim=spec.d,
        bias=spec.bias,
        score=create("score", SCORES, chosen.score.name, shape, chosen.score.options),
        mask=mask(chosen, shape, causal(spec)),
        position=placed(spec),
        weighting=create("weighting", WEIGHTINGS, chosen.weighting.name, shape, chosen.weighting.options),
        softcap=chosen.softcap,
        sinks=chosen.sinks,
        temperature=chosen.temperature,
        qk_norm=chosen.qk_norm,
        dropout=chosen.dropout,
        backend=chosen.backend,
    )


def causal(spec: TransformerSpec) -> bool:
    """Whether the model reads left to right."""
    return isinstance(spec, DecoderSpec)


def memory(spec: TransformerSpec) -> int:
    """How many earlier tokens each layer keeps."""
    return spec.memory if isinstance(spec, DecoderSpec) else 0


def shape_of(spec: TransformerSpec) -> Shape:
    """The sizes mechanisms are built for; a memory makes keys of more than one segment."""
    return Shape(spec.heads, spec.groups, spec.d, spec.context, spec.context + memory(spec))


def mask(spec: AttentionSpec, shape: Shape, causal: bool = True) -> Mask | None:
    """Causal where the model is, and every rule that is named: their intersection; None where there is no rule."""
    rule: Mask | None = Causal() if causal else None
    for part in spec.mask:
        made = create("mask", MASKS, part.name, shape, part.options)
        rule = made if rule is None else rule if causal and isinstance(made, Causal) else rule & made
    return rule


def named_position(spec: AttentionSpec, shape: Shape) -> Position | None:
    """The position scheme inside attention."""
    return None if spec.position is None else create("position", POSITIONS, spec.position.name, shape, spec.position.options)


def placed(spec: TransformerSpec) -> Position | None:
    """The position scheme of one layer's attention: none where places are added to the embedding, under a learned span if there is one."""
    inner = None if at_embedding(spec) else named_position(spec.attention, shape_of(spec))
    span = spec.attention.span
    return inner if span is None else AdaptiveSpan(spec.heads, spec.context + memory(spec), span.ramp, span.start, inner)


def at_embedding(spec: TransformerSpec) -> bool:
    """Whether places are added to the embedding (learned, sinusoidal) and not inside attention."""
    return position_kind(spec) in (Learned, Sinusoidal)


def position_kind(spec: TransformerSpec) -> type | None:
    """The class of the position scheme."""
    chosen = spec.attention.position
    return None if chosen is None else find("position", POSITIONS, chosen.name).kind


def places(spec: TransformerSpec) -> AtEmbedding | None:
    """What is added to the embeddings."""
    if not at_embedding(spec):
        return None
    whole = Shape(1, 1, spec.width, spec.context, spec.context)
    made = named_position(spec.attention, whole)
    assert isinstance(made, Learned | Sinusoidal)
    return made


def gate(spec: TransformerSpec) -> Gate | None:
    """The gate on a block's stream, causal where the model is."""
    if spec.gate is None:
        return None
    whole = Shape(1, 1, spec.width, spec.context, spec.context)
    return create("gate", GATES, spec.gate.name, whole, {"causal": causal(spec), **spec.gate.options})


def limit(spec: TransformerSpec) -> int | None:
    """The most tokens that a model of these mechanisms can place; None where any number will do.

    Raises `Unsupported` where a memory would shift places that are counted from a segment's start.
    """
    if memory(spec) and (at_embedding(spec) or gate_kind(spec) is LayerwiseAdaptiveAttention):
        raise Unsupported(
            "model.memory needs places that are distances, and keys that no gate changes: position rope, alibi, t5 or none, "
            "and another gate than layerwise_adaptive, would work"
        )
    counted = position_kind(spec) is Learned or placed_score(spec) or gate_kind(spec) in COUNTING
    return spec.context if counted else None


COUNTING: tuple[type, ...] = (PositionalWeighting, LayerwiseAdaptiveAttention)


def placed_score(spec: TransformerSpec) -> bool:
    """Whether the score looks keys up by their place, so that none may be dropped."""
    return find("score", SCORES, spec.attention.score.name).kind in (Biased, QueryBiased)


def gate_kind(spec: TransformerSpec) -> type | None:
    """The class of the gate."""
    return None if spec.gate is None else find("gate", GATES, spec.gate.name).kind


def stream_gate(spec: MechanismSpec | None, width: int, length: int) -> Gate | None:
    """A gate on a stream (b, t, width) that is read whole, of at most `length` places."""
    if spec is None:
        return None
    return create("gate", GATES, spec.name, Shape(1, 1, width, length, length), {"causal": False, **spec.options})
