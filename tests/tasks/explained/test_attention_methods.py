"""Attention, rollout, flow, value norms and relevance, against the papers' formulas written out in float64."""

from __future__ import annotations

from collections.abc import Callable

import networkx
import pytest
import torch
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.errors import UsageError
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.flow import FINE, Flow
from heedful.explanations.methods.relevance import Relevance, across
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.value_norms import ValueNorms
from heedful.explanations.subject import Look
from heedful.tasks.explained.subjects import subject_of
from heedful.tasks.explained.tokens import Tokens

BOTH = pytest.mark.parametrize("subject", ["encoder", "decoder"], indirect=True)
Weights = Callable[[Tokens], list[Tensor]]


def read_of(subject: Tokens) -> Tensor:
    """What the answer reads: a classifier's pooling, the last place of a language model."""
    out = subject.reader.model(subject.ids[None])
    if out.logits.dim() == 2:
        return out.pooled[0].detach()
    return torch.eye(len(subject.ids), dtype=torch.float64)[-1]


@BOTH
def test_the_answer_reads_what_the_model_says(subject: Tokens) -> None:
    torch.testing.assert_close(subject.reading.double(), read_of(subject))


@BOTH
def test_attention_is_the_mean_of_the_layers_weights(subject: Tokens, weights: Weights) -> None:
    layers = weights(subject)
    expected = torch.stack([read_of(subject) @ layer.mean(0) for layer in layers]).mean(0)
    torch.testing.assert_close(Attention().scores(subject), expected)
    torch.testing.assert_close(Attention(layer=2, head=3).scores(subject), read_of(subject) @ layers[1][2])
    torch.testing.assert_close(Attention(layer=-1).scores(subject), read_of(subject) @ layers[1].mean(0))
    with pytest.raises(UsageError, match="layer 3"):
        Attention(layer=3).scores(subject)
    with pytest.raises(UsageError, match="head 9"):
        Attention(head=9).scores(subject)


@BOTH
def test_rollout_is_the_product_of_the_mixed_weights(subject: Tokens, weights: Weights) -> None:
    product = torch.eye(len(subject.ids), dtype=torch.float64)
    for layer in weights(subject):
        product = (0.5 * layer.mean(0) + 0.5 * torch.eye(len(product), dtype=torch.float64)) @ product
    torch.testing.assert_close(Rollout().scores(subject), read_of(subject) @ product)


@BOTH
def test_flow_is_the_maximum_flow_of_the_whole_graph(subject: Tokens, weights: Weights) -> None:
    graph, count = networkx.DiGraph(), len(subject.ids)
    for depth, layer in enumerate(weights(subject)):
        mixed = 0.5 * layer.mean(0) + 0.5 * torch.eye(count, dtype=torch.float64)
        for row in range(count):
            for key in range(count):
                graph.add_edge((depth, key), (depth + 1, row), capacity=float(mixed[row, key]))
    for row, share in enumerate(read_of(subject).tolist()):
        graph.add_edge((2, row), "answer", capacity=share)
    expected = [networkx.maximum_flow_value(graph, (0, i), "answer") for i in range(count)]
    # Each pipe is rounded to half of 2^-29, and a cut holds no more pipes than the graph.
    bound = graph.number_of_edges() * 0.5 / FINE
    assert (Flow().scores(subject) - torch.tensor(expected, dtype=torch.float64)).abs().max() <= bound


@BOTH
def test_value_norms_are_those_of_the_carried_vectors(subject: Tokens, weights: Weights) -> None:
    model, rows = subject.reader.model, []
    seen: list[Tensor] = []
    hooks = [block.attention_norm.register_forward_hook(lambda _, inputs, out: seen.append(out)) for block in model.layers]
    model(subject.ids[None])
    for hook in hooks:
        hook.remove()
    for block, layer, x in zip(model.layers, weights(subject), seen, strict=True):
        attention = block.attention
        _, _, v = attention.project(x)
        heads, d = attention.widths.heads, attention.widths.head_dim
        write = attention.out_proj.weight.mT.reshape(heads, d, -1)
        matrix = torch.zeros(len(subject.ids), len(subject.ids), dtype=torch.float64)
        for query in range(len(subject.ids)):
            for key in range(len(subject.ids)):
                carried = sum(layer[h, query, key] * (v[0, h // (heads // v.shape[1]), key] @ write[h]) for h in range(heads))
                matrix[query, key] = carried.norm()
        rows.append(read_of(subject) @ matrix)
    torch.testing.assert_close(ValueNorms().scores(subject), torch.stack(rows).mean(0).detach())


def test_relevance_is_chefers_equation_six(encoder: nn.Module, ids: Tensor) -> None:
    subject = subject_of(encoder, ids)
    assert isinstance(subject, Tokens)
    matrices = by_autograd(subject)
    relevance = torch.eye(len(ids), dtype=torch.float64)
    for matrix in matrices:
        relevance = relevance + matrix @ relevance
    torch.testing.assert_close(Relevance().scores(subject), read_of(subject) @ relevance)


def by_autograd(subject: Tokens) -> list[Tensor]:
    """(∇A ⊙ A)⁺ of each layer: every core gives weights @ values of weights that are in the graph."""
    kept: list[Tensor] = []

    def core(q: Tensor, k: Tensor, v: Tensor, **options: object) -> Tensor:
        options.pop("return_weights", None)
        kept.append(attend(q, k, v, return_weights=True, **options)[1])
        weights = kept[-1]
        return weights @ v.repeat_interleave(q.shape[1] // v.shape[1], dim=1)

    blocks = list(subject.reader.model.layers)
    before = [block.attention.core for block in blocks]
    for block in blocks:
        block.attention.core = core
    score = subject.of_features(subject.features.clone().requires_grad_()[None])[0]
    for block, own in zip(blocks, before, strict=True):
        block.attention.core = own
    grads = torch.autograd.grad(score, kept)
    return [(grad * weight).clamp(min=0).mean(1)[0].detach() for grad, weight in zip(grads, kept, strict=True)]


def test_relevance_across_two_streams_is_chefers_equation_ten() -> None:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    looks, grads, matrices = [], [], []
    for side, queries, keys in (("source", 4, 4), ("self", 3, 3), ("cross", 3, 4), ("self", 3, 3), ("cross", 3, 4)):
        weights, values, grad = drawn(2, queries, keys).softmax(-1), drawn(2, keys, 5) - 0.5, drawn(1, 2, queries, 5) - 0.5
        looks.append(Look(side, lambda first, end, w=weights: w[:, first:end], (weights @ values)[None], values, None, side))
        grads.append(grad)
        matrices.append((side, ((grad[0] @ values.mT) * weights).clamp(min=0).mean(0)))
    own, theirs, crossed = torch.eye(3, dtype=torch.float64), torch.eye(4, dtype=torch.float64), torch.zeros(3, 4, dtype=torch.float64)
    for side, matrix in matrices:
        if side == "source":
            theirs = theirs + matrix @ theirs
        elif side == "self":
            own, crossed = own + matrix @ own, crossed + matrix @ crossed
        else:
            bars = []
            for square in (own, theirs):
                rest = square - torch.eye(len(square), dtype=torch.float64)
                total = rest.sum(1, keepdim=True)
                bars.append(
                    torch.where(total == 0, 0.0, rest / torch.where(total == 0, 1.0, total)) + torch.eye(len(square), dtype=torch.float64)
                )
            crossed = crossed + bars[0].T @ matrix @ bars[1]
    reading = drawn(3)
    torch.testing.assert_close(across(tuple(looks), tuple(grads), reading), torch.cat([reading @ crossed, reading @ own]))
