"""Embeddings that begin as vectors learnt from texts without classes (Kim 2014, arXiv 1408.5882, §3.1: they learn on from there)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from heedful.data.tokens import Tokenizer
from heedful.data.tokens.runs import Runs
from heedful.data.tokens.word import Words
from heedful.data.vectors import Vectors, alike
from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.models.bilstm import BiLSTM
from heedful.models.classifier import Classifier
from heedful.models.lstm_cnn import LSTMCNN
from heedful.models.ngram_attention import NgramAttention
from heedful.models.text_cnn import TextCNN
from heedful.spec.classifier import BiLSTMSpec, ClassifierSpec, LSTMCNNSpec, NgramSpec, TextCNNSpec

LENGTH = 3.0  # of a mean row: what the convolutions and the LSTM see of a word as they do of rows drawn with a spread of a fifth


def width_of(spec: ClassifierSpec) -> int:
    """How many numbers the model has for a word; `UsageError` for one without embeddings of words, or with several widths of them."""
    asked = (spec.beside, *spec.further) if isinstance(spec, NgramSpec) else (spec,)
    widths = {one.embedding for one in asked if isinstance(one, TextCNNSpec | BiLSTMSpec | LSTMCNNSpec)}
    if len(widths) > 1:
        found = ", ".join(map(str, sorted(widths)))
        raise UsageError(f"data.vectors are of one length, and the models beside the runs have embeddings of {found}: one would work")
    if widths:
        return widths.pop()
    what = "an ngram_attention model with nothing beside it" if isinstance(spec, NgramSpec) else f"a model of kind {spec.kind}"
    raise UsageError(
        f"data.vectors are for the embeddings of words, and {what} has none: text_cnn, bilstm_attention or lstm_cnn would work"
    )


def with_words(tokenizer: Tokenizer, vectors: Vectors) -> Tokenizer:
    """A tokenizer that also knows the words of the vectors, so that they are read where the training texts have none of them."""
    if isinstance(tokenizer, Runs | Words):
        return tokenizer.joined(vectors.words)
    raise UsageError(f"data.vectors are of words, and data.tokenizer is {tokenizer.kind}: word, runs or letter_runs would work")


def still_words(spec: ClassifierSpec, still: int) -> ClassifierSpec:
    """The spec, the last `still` of its words to be left as they begin."""
    if isinstance(spec, NgramSpec):
        beside = None if spec.beside is None else replace(spec.beside, still=still)
        return replace(spec, beside=beside, further=tuple(replace(one, still=still) for one in spec.further))
    return replace(spec, still=still) if isinstance(spec, TextCNNSpec | BiLSTMSpec | LSTMCNNSpec) else spec


def still_of(spec: ClassifierSpec) -> int:
    """How many of its words the model leaves as they began."""
    asked = spec.beside if isinstance(spec, NgramSpec) else spec
    return asked.still if isinstance(asked, TextCNNSpec | BiLSTMSpec | LSTMCNNSpec) else 0


def begin_words(model: Classifier, tokenizer: Tokenizer, vectors: Vectors) -> int:
    """Set the embeddings of each word that has a vector; how many have one."""
    words, places = names(tokenizer), vectors.places()
    known = [(i, places[alike(word)]) for i, word in enumerate(words) if alike(word) in places]
    rows = torch.from_numpy(vectors.rows[[place for _, place in known]]) * LENGTH
    for table in embeddings_of(model):
        table.begin(torch.tensor([i for i, _ in known]), rows)
    return len(known)


def embeddings_of(model: nn.Module) -> list[TokenEmbedding]:
    """Where the model keeps its words, once for each model that reads them in their order."""
    if isinstance(model, NgramAttention) and model.beside is not None:
        return [one.embedding for one in model.companions()]
    if isinstance(model, TextCNN | BiLSTM | LSTMCNN):
        return [model.embedding]
    raise UsageError(f"{type(model).__name__} has no embeddings of words")


def names(tokenizer: Tokenizer) -> list[str]:
    """The words, in the order of the embedding's rows."""
    if isinstance(tokenizer, Runs):
        return [run for run, single in zip(tokenizer.runs, tokenizer.words(), strict=True) if single]
    assert isinstance(tokenizer, Words)
    return tokenizer.words
