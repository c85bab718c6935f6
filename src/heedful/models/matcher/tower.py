"""A text as two vectors: what its words say together, and what its runs of characters weigh.

The first is a transformer over words made of their runs (Bojanowski et al. 2017, arXiv 1607.04606), pooled by attention of several
views (Lin et al. 2017, arXiv 1703.03130); the second a weighted sum of the runs (Joulin et al. 2017, arXiv 1607.01759, by tf-idf).
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize

from heedful.attention.masks.padding import Padding
from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models.matcher.asked import Asked
from heedful.models.mechanisms import block
from heedful.models.start import start
from heedful.spec.matcher import MatcherSpec

SPREAD = 0.1  # of a run's numbers at the start


class Towered(NamedTuple):
    """Both vectors, of length 1 each; the words' states and which are real; how much each word counted; what each layer read.

    The attentive vector has all members side by side; states, counts and layers are of the first.
    """

    attentive: Float[Tensor, "b a"]
    lexical: Float[Tensor, "b l"]
    states: Float[Tensor, "b t m"]
    real: Bool[Tensor, "b t"]
    pooled: Float[Tensor, "b t"]
    traces: tuple[Trace, ...] = ()


@final
class Tower(nn.Module):
    """Reads questions and entries alike.

    >>> from heedful.data.labelled.texts import Texts
    >>> from heedful.data.questions.reading import read
    >>> from heedful.data.tokens.grams import Grams
    >>> grams = Grams.train(["lost my card"], None)
    >>> tower = Tower(MatcherSpec(vocabulary=grams.size, width=16, heads=2, lexical=8)).eval()
    >>> batch = read(Texts(("lost card", "my card is lost"), ("a", "a")), ("a",), grams, 8).whole()
    >>> found = tower(batch)
    >>> found.attentive.shape, found.lexical.shape, found.states.shape
    (torch.Size([2, 16]), torch.Size([2, 8]), torch.Size([2, 4, 16]))
    """

    def __init__(self, spec: MatcherSpec, lexical: bool = True) -> None:
        super().__init__()
        if spec.vocabulary < 1:
            raise UsageError("model.vocabulary is 0: a matcher needs the tokenizer's size")
        self.spec = spec
        self.runs = spread(TokenEmbedding(spec.vocabulary, spec.width, padding=0))
        self.weighed = spread(TokenEmbedding(spec.vocabulary, spec.lexical, padding=0)) if lexical else None
        self.places = nn.Parameter(torch.randn(spec.context, spec.width) * 0.02)
        blocks = [block(spec.encoder) for _ in range(spec.layers)]
        self.layers = nn.ModuleList(blocks)
        if blocks:
            start(blocks, None)
        self.norm = norm("layer", spec.width, True)
        self.hidden = nn.Linear(spec.width, spec.width)
        self.views = nn.Linear(spec.width, spec.views, bias=False)
        self.together = nn.Linear(spec.views * spec.width, spec.width) if spec.views > 1 else nn.Identity()
        self.dropout = nn.Dropout(spec.dropout)
        self.others = nn.ModuleList(Tower(spec, lexical=False) for _ in range(spec.members - 1 if lexical else 0))

    def forward(self, batch: Asked, trace: bool = False) -> Towered:
        """Both vectors of every text."""
        assert self.weighed is not None, "the first member keeps the lexical stream"
        real = torch.arange(batch.words.shape[1], device=batch.words.device) < batch.lengths[:, None]
        vector, states, weights, traces = self.attended(batch, real, trace)
        vectors = [vector, *(other.attended(batch, real)[0] for other in self.others if isinstance(other, Tower))]
        weighed = embedding_bag(batch.runs, self.weighed.weight, mode="sum", per_sample_weights=self.thinned(batch.weights), padding_idx=0)
        attentive = vector if len(vectors) == 1 else torch.cat(vectors, dim=1) * len(vectors) ** -0.5
        return Towered(attentive, normalize(weighed, dim=-1), states, real, weights.mean(-1), traces)

    def attended(
        self, batch: Asked, real: Bool[Tensor, "b t"], trace: bool = False
    ) -> tuple[Float[Tensor, "b m"], Float[Tensor, "b t m"], Float[Tensor, "b t v"], tuple[Trace, ...]]:
        """This member's vector, of length 1, the words' states, how much each counted in each view, and what each layer read."""
        states, traces = self.read(batch, real, trace)
        scores: Tensor = self.views(torch.tanh(self.hidden(states))).float()
        weights = scores.masked_fill(~real[..., None], -torch.inf).softmax(1).to(states.dtype)
        vector = self.together(self.dropout(torch.einsum("btv,btm->bvm", weights, states).flatten(1)))
        return normalize(vector, dim=-1), states, weights, traces

    def read(self, batch: Asked, real: Bool[Tensor, "b t"], trace: bool) -> tuple[Float[Tensor, "b t m"], tuple[Trace, ...]]:
        """The states of the words behind the layers."""
        x = self.dropout(self.embedded(batch) + self.places[: batch.words.shape[1]])
        mask, traces = Padding(batch.lengths), []
        for number, layer in enumerate(self.layers, start=1):
            if trace:
                x, (seen,) = layer(x, mask=mask, real=real, trace=True)
                traces.append(Trace(seen.weights, f"layer {number}"))
            else:
                x = layer(x, mask=mask, real=real)
        return self.norm(x), tuple(traces)

    def embedded(self, batch: Asked) -> Float[Tensor, "b t m"]:
        """Each word as the sum of its runs over the root of their number; while learning some runs and some words are left out."""
        types = batch.types
        if self.training and self.spec.drop_runs:
            types = types * (torch.rand_like(types, dtype=torch.float32) >= self.spec.drop_runs)
        count = (types > 0).sum(-1, keepdim=True).clamp(min=1)
        words = embedding_bag(types, self.runs.weight, mode="sum", padding_idx=0) * count.rsqrt()
        x = words[batch.words]
        if self.training and self.spec.drop_words:
            x = x * (torch.rand(*x.shape[:2], 1, device=x.device) >= self.spec.drop_words)
        return x

    def thinned(self, weights: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
        """The weights of the runs, some of them 0 while learning."""
        if not (self.training and self.spec.drop_runs):
            return weights
        return weights * (torch.rand_like(weights) >= self.spec.drop_runs)


def spread(table: TokenEmbedding) -> TokenEmbedding:
    """A wider start than a language model's: nothing is tied to these numbers."""
    with torch.no_grad():
        table.weight.mul_(SPREAD / 0.02)
    return table
