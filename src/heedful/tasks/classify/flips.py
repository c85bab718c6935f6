"""What an attacker reads off a classifier: the gradient at its embedding, and what single words say."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.labelled.batches import every
from heedful.data.labelled.texts import Texts
from heedful.data.words import words_in
from heedful.layers.embed import TokenEmbedding
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.train.metrics import moved

POOL: Final = 400  # frequent words from which replacements are taken
BEST: Final = 8  # of them that are tried


class Flips:
    """A classifier as its attacker sees it; replacements come from the frequent words of the texts it is attacked on."""

    def __init__(self, loaded: LoadedClassifier, texts: Texts) -> None:
        self.loaded = loaded
        counts: dict[str, int] = {}
        for text in texts.texts:
            for word in words_in(text):
                if word[0].isalnum():
                    counts[word] = counts.get(word, 0) + 1
        self.pool = sorted(counts, key=lambda word: (-counts[word], word))[:POOL]
        self.alone = self.scores(self.pool).log_softmax(1) if self.pool else torch.zeros(0, len(loaded.model.labels))
        self.words = cache(self.harmful)

    def harmful(self, word: str, true: int) -> list[str]:
        """The words of the pool that speak most against a class."""
        order = self.alone[:, true].argsort()[:BEST].tolist()
        return [self.pool[i] for i in order]

    @torch.inference_mode()
    def scores(self, texts: list[str]) -> Float[Tensor, "n c"]:
        """The logits of texts."""
        rows = self.loaded.rows(self.read(texts))
        found = torch.zeros(len(rows), len(self.loaded.model.labels))
        for places, batch in every(rows, self.loaded.spec.train.eval_batch):
            ids, lengths, *_ = moved(batch, self.loaded.device)
            found[places] = self.loaded.model(ids, lengths=lengths).logits.float().cpu()
        return found

    def told(self, texts: list[str]) -> list[str]:
        """The class of each text."""
        return [self.loaded.model.labels[i] for i in self.scores(texts).argmax(1).tolist()]

    def read(self, texts: list[str]) -> Texts:
        """Texts as the run reads them."""
        folded = tuple(text.lower() if self.loaded.spec.texts.lowercase else text for text in texts)
        return Texts(folded, (self.loaded.model.labels[0],) * len(folded))

    def ranked(self, text: str, true: int, spans: list[tuple[int, int]]) -> list[int]:
        """The words of a text, the one that counts most for the true class first: by the gradient's length at its tokens."""
        pieces = [text[first:last] for first, last in spans]
        rows = self.loaded.rows(self.read([text]))
        strength = self.strength(rows.tokens[None].to(self.loaded.device), true)
        tokenizer = self.loaded.tokenizer
        shown = [tokenizer.decode([int(token)]).strip().lower() for token in rows.tokens.tolist()]
        worth = dict[str, float]()
        for piece, value in zip(shown, strength.tolist(), strict=True):
            for word in piece.split():
                worth[word] = max(worth.get(word, 0.0), value)
        known = [max((worth[key] for key in worth if key and key in piece.lower()), default=0.0) for piece in pieces]
        exact = [worth.get(piece.lower(), near) for piece, near in zip(pieces, known, strict=True)]
        return sorted(range(len(pieces)), key=lambda i: -exact[i])

    def strength(self, ids: Tensor, true: int) -> Float[Tensor, " t"]:
        """How much each token counts for the true class's lead: evidence where the model has it, else gradient times embedding.

        Of a text that is read in windows, the first counts.
        """
        if ids.shape[1] > self.loaded.model.context:
            first = self.strength(ids[:, : self.loaded.model.context], true)
            return torch.cat([first, torch.zeros(ids.shape[1] - len(first))])
        found = self.loaded.model(ids)
        if found.evidence is not None:
            lead: Tensor = (found.evidence[0, :, true] - found.evidence[0].mean(1)).detach().float().cpu()
            return lead
        kept: list[Tensor] = []

        def keep(module: Any, inputs: Any, out: Tensor) -> Tensor:
            seen = out.detach().requires_grad_(True)
            kept.append(seen)
            return seen

        hook = self.embedding().register_forward_hook(keep)
        try:
            logits = self.loaded.model(ids).logits
        finally:
            hook.remove()
        others = torch.cat([logits[0, :true], logits[0, true + 1 :]])
        (gradient,) = torch.autograd.grad(logits[0, true] - others.logsumexp(0), kept[0])
        worth: Tensor = (gradient * kept[0]).sum(-1)[0].abs().float().cpu()
        spare = len(worth) - ids.shape[1]  # marks around the text of a pretrained encoder, at either side
        return worth[spare // 2 : spare // 2 + ids.shape[1]] if spare else worth

    def embedding(self) -> torch.nn.Module:
        """Where tokens become numbers."""
        kinds = (TokenEmbedding, torch.nn.Embedding)
        return next(module for module in self.loaded.model.modules() if isinstance(module, kinds))
