"""From a model and an input to a subject: which kind of model it is, and what it is asked."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from heedful.data.tokens import Tokenizer
from heedful.errors import Unsupported, UsageError
from heedful.explanations.subject import Subject
from heedful.manage.hosts.pretrained import pretrained
from heedful.models.classifier import Classifier
from heedful.models.language_model import LanguageModel
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.models.vision.convolutional import Convolutional
from heedful.models.vision.detector import Detector
from heedful.models.vision.transformer import VisionTransformer
from heedful.models.vision.unet import UNet
from heedful.tasks.explained.naming import blank_of, class_named, said, word_tokens
from heedful.tasks.explained.pretrained import pretrained_subject
from heedful.tasks.explained.reader import ClassReader, WordReader
from heedful.tasks.explained.seen import of_box, of_picture, of_pixels
from heedful.tasks.explained.tokens import Tokens
from heedful.tasks.explained.writing import of_written, wanted_of, written_by


def subject_of(model: nn.Module, given: Any, tokenizer: Any = None, target: Any = None, contrast: Any = None) -> Subject:
    """What is to be explained: a text or its tokens, a model of ours or of Hugging Face, and an answer (the likeliest unless given).

    Raises `Unsupported` for a model of another kind, which wants a `Subject` of its own.
    """
    if isinstance(given, Subject):
        return given
    if isinstance(model, Classifier):
        return of_classifier(model, tokens(given, tokenizer, None if model.windowed else model.context), tokenizer, target, contrast)
    if isinstance(model, LanguageModel):
        return of_language_model(model, tokens(given, tokenizer, model.limit), tokenizer, target, contrast)
    if isinstance(model, Seq2Seq):
        text = written_by(model, given, tokenizer)
        return of_written(model, text, wanted_of(text.ids, model.mark, tokenizer, target, contrast), tokenizer)
    if isinstance(model, Convolutional | VisionTransformer):
        return of_picture(model, picture_of(given), target, contrast)
    if isinstance(model, Detector):
        return of_box(model, picture_of(given), target, contrast)
    if isinstance(model, UNet):
        return of_pixels(model, picture_of(given), target, contrast)
    if pretrained(model):
        return pretrained_subject(model, given, tokenizer, target, contrast)
    raise Unsupported(
        f"{type(model).__name__}: classifiers, language models, models of pictures and those that write one text for another, ours, and "
        "models of Hugging Face, are explained as they are; a heedful.explanations.subject.Subject as the input would work for others"
    )


def picture_of(given: Any) -> UInt8[Tensor, "c h w"]:
    """A picture (c, h, w) or (1, c, h, w), in bytes, or in numbers from 0 to 1."""
    pixels = torch.as_tensor(given)
    if pixels.dim() == 4 and len(pixels) == 1:
        pixels = pixels[0]
    if pixels.dim() != 3:
        raise UsageError(f"one picture (c, h, w) is explained at a time: found {tuple(pixels.shape)}")
    return pixels if pixels.dtype == torch.uint8 else (pixels.clamp(0, 1) * 255).round().to(torch.uint8)


def tokens(given: Any, tokenizer: Tokenizer | None, most: int | None) -> Int[Tensor, " t"]:
    """The tokens of a text, or those that were given."""
    if isinstance(given, str):
        if tokenizer is None:
            raise UsageError("a text needs tokenizer=, the one its model was trained with; tokens (t,) would work without one")
        ids = tokenizer.encode(given)
    else:
        ids = torch.as_tensor(given)
        if ids.dim() == 2 and len(ids) == 1:
            ids = ids[0]
    if ids.dim() != 1 or not len(ids):
        raise UsageError(
            f"one text of one token or more is explained at a time: found tokens {tuple(ids.shape)}; a list of texts would work"
        )
    if most is not None and len(ids) > most:
        raise UsageError(f"{len(ids)} tokens are more than the {most} this model reads: {most} or fewer would work")
    return ids


def of_classifier(
    model: Classifier, ids: Int[Tensor, " t"], tokenizer: Tokenizer | None, target: Any, contrast: Any, temperature: float = 1.0
) -> Tokens:
    """Why this class."""
    device = next(model.parameters()).device
    if target is None:
        training = model.training
        with torch.no_grad():
            target = int(model.eval()(ids[None].to(device)).logits[0].argmax())
        model.train(training)
    best = class_named(target, model.labels)
    against = None if contrast is None else class_named(contrast, model.labels)
    if against == best:
        raise UsageError(f"the class {model.labels[best]} against itself says nothing: another contrast would work")
    reader = ClassReader(model, 0, blank_of(tokenizer), target=best, contrast=against, temperature=temperature)
    return Tokens(reader, ids, said(ids, tokenizer), model.labels[best], contrast=None if against is None else model.labels[against])


def of_language_model(model: LanguageModel, ids: Int[Tensor, " t"], tokenizer: Tokenizer | None, target: Any, contrast: Any) -> Tokens:
    """Why this word to come."""
    device = next(model.parameters()).device
    if target is None:
        training = model.training
        with torch.no_grad():
            target = int(model.eval()(ids[None].to(device)).logits[0, -1].argmax())
        model.train(training)
    words, against = (() if each is None else answer(each, tokenizer, model.vocabulary) for each in (target, contrast))
    if words == against:
        raise UsageError("an answer against itself says nothing: another contrast would work")
    reader = WordReader(model, 0, blank_of(tokenizer), target=words, contrast=against)
    named = ["".join(said(each, tokenizer)) for each in (words, against)]
    return Tokens(reader, ids, said(ids, tokenizer), named[0], contrast=named[1] or None)


@torch.no_grad()
def likeliest(model: LanguageModel, ids: Int[Tensor, " t"], tokenizer: Tokenizer, most: int) -> list[tuple[str, float]]:
    """The tokens that are likeliest to follow, and their probabilities; the model is in evaluation."""
    logits = model(ids[None].to(next(model.parameters()).device)).logits[0, -1]
    best = logits.float().softmax(-1).topk(min(most, len(logits)))
    return [(tokenizer.show(i), round(p, 6)) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]


def answer(word: Any, tokenizer: Tokenizer | None, size: int) -> tuple[int, ...]:
    """The tokens of an answer."""
    if tokenizer is None and not isinstance(word, int):
        raise UsageError(f"the answer {word!r} needs tokenizer=; a token's number would work without one")
    if tokenizer is None:
        return (int(word),)
    return word_tokens(word, tokenizer, size)
