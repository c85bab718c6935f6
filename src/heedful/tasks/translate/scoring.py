"""How near texts are to their references: BLEU (Papineni et al. 2002; Post 2018, arXiv 1804.08771) and chrF (Popović 2015) by sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from heedful.errors import MissingExtra


class Scored(NamedTuple):
    """Scores of 0 to 100, the share of texts that are their references, and the signatures that say how they were counted."""

    bleu: float
    bleu_lowercase: float
    chrf: float
    exact: float
    signatures: tuple[str, ...]


def scored(found: Sequence[str], wanted: Sequence[str], spaceless: bool = False) -> Scored:
    """The scores of texts against a reference each; `spaceless` counts characters in place of words.

    >>> scored(["a cat sat on the mat"], ["a cat sat on the mat"]).bleu
    100.0
    """
    try:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
    except ImportError:
        raise MissingExtra("sacrebleu", "text", "scoring translations") from None
    tokens = "char" if spaceless else "13a"
    metrics = (BLEU(tokenize=tokens), BLEU(tokenize=tokens, lowercase=True), CHRF())
    scores = [round(metric.corpus_score(list(found), [list(wanted)]).score, 4) for metric in metrics]
    exact = sum(a == b for a, b in zip(found, wanted, strict=True)) / len(wanted)
    signatures = tuple(f"{name} {metric.get_signature()}" for name, metric in zip(("BLEU", "BLEU", "chrF"), metrics, strict=True))
    return Scored(scores[0], scores[1], scores[2], exact, signatures)
