"""Attention over runs of words: a text asks which of its runs count, and each run says what it says of the classes.

The values start as Naive Bayes' log-count ratios r, times a weight w that is learnt (Wang & Manning 2012, ACL, eq. 1-2, one class
against the others; Mesnil et al. 2014, arXiv 1412.5335, add runs of three), and the attention starts even, so that the model begins as
the linear one of those papers: Σᵢ aᵢ wᵢ rᵢ · √n over the n runs of a text, a = softmax(bᵢ + kᵢ · Q k̄), k̄ the mean of the keys.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from heedful.errors import ShapeError
from heedful.layers.embed import TokenEmbedding
from heedful.models.bilstm import BiLSTM
from heedful.models.classifier import Classifier, ClassifierOutput
from heedful.models.text_cnn import TextCNN
from heedful.spec.classifier import Beside, NgramSpec, TextCNNSpec

SCALE: Final = 0.2  # of the sum at the start: what makes the scores of Naive Bayes about as sure as they are right
PACE: Final = 10.0  # w = 1 + PACE · change: sums over many rare runs learn at the rate of the layers beside them, and decay to Naive Bayes
FAR: Final = -1e9


@final
class NgramAttention(Classifier):
    """The runs of a text, each counted once, weighed by the text itself; a model of its words in their order beside them if asked.

    >>> import torch
    >>> from heedful.spec import NgramSpec
    >>> model = NgramAttention(NgramSpec(vocabulary=11, labels=("no", "yes"))).eval()
    >>> ids = torch.tensor([[1, 2, 3, 0]])
    >>> out = model(ids, lengths=torch.tensor([3]))
    >>> torch.allclose(out.logits, model(ids[:, :3]).logits, atol=1e-6), out.evidence.shape
    (True, torch.Size([1, 4, 2]))
    """

    ratios: Tensor
    ranks: Tensor

    def __init__(self, spec: NgramSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.register_buffer("ratios", torch.zeros(spec.vocabulary, len(spec.labels)))
        self.register_buffer("ranks", torch.full((spec.vocabulary,), -1))  # the place of a run among the single words, -1 of a longer one
        self.change = nn.Parameter(torch.zeros(spec.vocabulary, len(spec.labels)))
        self.say = nn.Parameter(torch.zeros(spec.vocabulary, 1))
        self.keys = TokenEmbedding(min(spec.kept, spec.vocabulary) + 1, spec.width) if spec.width else None
        self.ask = nn.Linear(spec.width, spec.width, bias=False) if spec.width else None
        self.scale = nn.Parameter(torch.tensor(SCALE))
        self.bias = nn.Parameter(torch.zeros(len(spec.labels)))
        self.beside = None if spec.beside is None else companion(spec.beside, spec)
        self.further = nn.ModuleList(companion(asked, spec) for asked in spec.further)

    @torch.no_grad()
    def begin(self, tokens: Int[Tensor, " n"], lengths: Int[Tensor, " b"], labels: Int[Tensor, " b"], words: list[bool]) -> None:
        """Start as Naive Bayes over the texts to learn from: the `tokens` of all in one row, how many each has and its class.

        `words` says which of the tokens are single words.
        """
        single = torch.tensor(words)
        self.ranks.copy_(torch.where(single, single.long().cumsum(0) - 1, -1))
        self.ratios.copy_(log_count_ratios(tokens, lengths, labels, self.ratios, self.spec.smoothing))
        counts = torch.bincount(labels, minlength=len(self.labels)).float()
        self.bias.copy_((counts / counts.sum()).clamp(min=1e-6).log())

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, the share of each place in them, and what it adds to each class."""
        if int(ids.max()) >= self.vocabulary:
            raise ShapeError(f"token {int(ids.max())} is not in this model's vocabulary of {self.vocabulary}")
        real = (
            torch.ones_like(ids, dtype=torch.bool) if lengths is None else torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        )
        counted = real & first_times(ids)
        if self.training and self.spec.dropout:
            counted = counted & (torch.rand(ids.shape, device=ids.device) >= self.spec.dropout)
        said = self.embed_values(ids)
        weights = self.attention(ids, counted)
        many = counted.sum(1).clamp(min=1).to(said.dtype).sqrt()
        evidence = weights.unsqueeze(-1) * said * (self.scale * many)[:, None, None]
        logits = evidence.sum(1) + self.bias
        share = evidence.detach().abs().amax(-1)
        pooled = share / share.sum(1, keepdim=True).clamp(min=1e-12)
        pooled = torch.where(share.sum(1, keepdim=True) > 0, pooled, real / real.sum(1, keepdim=True).clamp(min=1))
        if self.beside is None:
            return ClassifierOutput(logits, None, (), pooled, evidence)
        parts = (logits, *self.read_beside(ids, real))
        return ClassifierOutput(torch.stack(parts).sum(0), None, (), pooled, evidence, parts)

    def embed_values(self, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t c"]:
        """What each run says of the classes."""
        return (1.0 + PACE * embedding(ids, self.change)) * embedding(ids, self.ratios)

    def attention(self, ids: Int[Tensor, "b t"], counted: Bool[Tensor, "b t"]) -> Float[Tensor, "b t"]:
        """How much each run counts: 1 together over those that are counted."""
        scores = embedding(ids, self.say).squeeze(-1)
        if self.keys is not None and self.ask is not None:
            keys = self.keys(ids.clamp(max=len(self.keys.weight) - 1))
            mean = (keys * counted.unsqueeze(-1)).sum(1) / counted.sum(1, keepdim=True).clamp(min=1)
            scores = scores + (keys @ self.ask(mean).unsqueeze(-1)).squeeze(-1)
        return scores.float().masked_fill(~counted, FAR).softmax(1) * counted

    def read_beside(self, ids: Int[Tensor, "b t"], real: Bool[Tensor, "b t"]) -> list[Float[Tensor, "b c"]]:
        """What each model of words in their order says."""
        models = self.companions()
        words, lengths = self.in_order(ids, real, max(model.context for model in models))
        said: list[Tensor] = []
        for model in models:
            read = lengths.clamp(max=model.context)
            said.append(model(words[:, : max(1, int(read.max()))], lengths=read).logits)
        return said

    def companions(self) -> list[TextCNN | BiLSTM]:
        """The models of words in their order."""
        return [model for model in (self.beside, *self.further) if isinstance(model, TextCNN | BiLSTM)]

    def in_order(self, ids: Int[Tensor, "b t"], real: Bool[Tensor, "b t"], context: int) -> tuple[Tensor, Tensor]:
        """The first `context` single words of each text in their order, and how many they are."""
        ranks = self.ranks[ids]
        words = real & (ranks >= 0)
        lengths = words.sum(1).clamp(max=context)
        order = (~words).to(torch.uint8).argsort(dim=1, stable=True)[:, : max(1, int(lengths.max()))]
        found = ranks.gather(1, order).clamp(min=0)
        return found * (torch.arange(found.shape[1], device=ids.device) < lengths[:, None]), lengths


def companion(beside: Beside, spec: NgramSpec) -> TextCNN | BiLSTM:
    """A model of words in their order."""
    asked = replace(beside, labels=spec.labels, vocabulary=beside.vocabulary or spec.vocabulary)
    return TextCNN(asked) if isinstance(asked, TextCNNSpec) else BiLSTM(asked)


def first_times(ids: Int[Tensor, "b t"]) -> Bool[Tensor, "b t"]:
    """Which places hold a token for the first time in their row.

    >>> first_times(torch.tensor([[5, 7, 5, 5, 2]])).int().tolist()
    [[1, 1, 0, 0, 1]]
    """
    order = ids.argsort(dim=1, stable=True)
    rows = ids.gather(1, order)
    fresh = torch.ones_like(ids, dtype=torch.bool)
    fresh[:, 1:] = rows[:, 1:] != rows[:, :-1]
    return torch.empty_like(fresh).scatter_(1, order, fresh)


def log_count_ratios(
    tokens: Int[Tensor, " n"], lengths: Int[Tensor, " b"], labels: Int[Tensor, " b"], like: Float[Tensor, "v c"], smoothing: float
) -> Float[Tensor, "v c"]:
    """log of the share of a class's texts that have a run, over the share of the other texts that have it.

    >>> ratios = log_count_ratios(torch.tensor([0, 0, 1]), torch.tensor([2, 1]), torch.tensor([0, 1]), torch.zeros(2, 2), 1.0)
    >>> (ratios[0] / torch.tensor(2.0).log()).tolist()  # a share of 2/3, over one of 1/3; the second 0 of a text adds nothing
    [1.0, -1.0]
    """
    vocabulary, classes = like.shape
    text = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    pairs = torch.unique(text * vocabulary + tokens)
    runs, mine = pairs % vocabulary, labels[pairs // vocabulary]
    counts = torch.bincount(runs * classes + mine, minlength=vocabulary * classes).view(vocabulary, classes).double()
    texts = torch.bincount(labels, minlength=classes).double()
    share = (counts + smoothing) / (texts + 2 * smoothing)
    others = (counts.sum(1, keepdim=True) - counts + smoothing) / (texts.sum() - texts + 2 * smoothing)
    return torch.where(counts.sum(1, keepdim=True) > 0, (share / others).log(), 0.0).float()  # what was never seen says nothing
