"""Beam search over a batch of sources, with caches that follow the beams (Sutskever et al. 2014, arXiv 1409.3215, §3.2).

A finished text is worth its log-probability divided by its length, the mark counted, to the power of the length penalty. A source is
done once none of its beams, as long as it is now, is worth more than the least of as many finished ones: Hugging Face's rule
(`early_stopping=False`). Sources that are done leave the batch.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.models.seq2seq.sequence import Seq2Seq, Writing
from heedful.spec.search import Search

NEVER = float("-inf")


class Hypothesis(NamedTuple):
    """A text that was found: its tokens without the mark, what it is worth, and its log-probability in nats."""

    ids: list[int]
    score: float
    log_probability: float


class Writer(Protocol):
    """What writes token by token; `mark` ends a text and stands before it."""

    mark: int

    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits of what follows one more token of each text; `writing` goes on in place."""


class Beams(NamedTuple):
    """The tokens, log-probabilities and lengths of n sources' k beams, running or finished."""

    ids: Int[Tensor, "n k t"]
    total: Float[Tensor, "n k"]
    score: Float[Tensor, "n k"]
    length: Int[Tensor, "n k"]

    def at(self, rows: Int[Tensor, " m"]) -> Beams:
        """Those of some sources."""
        return Beams(*(part[rows] for part in self))

    def picked(self, index: Int[Tensor, "n k"]) -> Beams:
        """Of each source the beams at `index`."""
        return Beams(self.ids.gather(1, index[..., None].expand(-1, -1, self.ids.shape[2])), *(part.gather(1, index) for part in self[1:]))


@torch.inference_mode()
def beam_search(
    model: Seq2Seq, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], most: int, search: Search
) -> list[list[Hypothesis]]:
    """For each source the `search.best` best texts of at most `most` tokens, the mark counted, the best first.

    >>> from heedful.models.seq2seq.transformer import Transformer
    >>> from heedful.spec.seq2seq import Seq2SeqSpec
    >>> _ = torch.manual_seed(0)
    >>> model = Transformer(Seq2SeqSpec(vocabulary=5, width=8, layers=1, heads=2)).eval()
    >>> found = beam_search(model, torch.tensor([[1, 2, 5]]), torch.tensor([3]), 6, Search(beams=2, best=2))
    >>> len(found[0]), found[0][0].score >= found[0][1].score
    (2, True)
    """
    return search_from(model, model.begin(source, lengths), (len(source), most), search, source.device)


@torch.inference_mode()
def search_from(
    model: Writer, writing: Writing, sizes: tuple[int, int], search: Search, device: torch.device, summed: bool = False
) -> list[list[Hypothesis]]:
    """The same for whatever was read, a row of `writing` each: `sizes` are how many rows and the most tokens of a text.

    `summed`: what a step gives is added as it is, where it is no logits but a mixture of several models' log-probabilities.
    """
    (n, most), k = sizes, search.beams
    running = blank(n, k, most, device)
    running.total[:, 1:] = NEVER
    finished = blank(n, k, most, device)._replace(score=running.total.new_full((n, k), NEVER))
    results: list[list[Hypothesis]] = [[] for _ in range(n)]
    rows = torch.arange(n, device=device)
    last = torch.full((n,), model.mark, device=device)
    for t in range(most):
        logits = model.step(last, writing)
        if t == 0:
            logits = logits.repeat_interleave(k, 0)
            writing.select(torch.arange(n, device=device).repeat_interleave(k))
        beam, token, total = candidates(logits, running.total, k, summed)
        finished = ended(finished, running, (beam, token, total), t, ends(token, model.mark, t, most), search.length_penalty)
        running, beam = continued(running, (beam, token, total), t, model.mark)
        done = settled(running, finished, t, search.length_penalty) if t + 1 < most else torch.ones(len(rows), dtype=torch.bool)
        if bool(done.any()):
            for i in done.nonzero()[:, 0].tolist():
                results[int(rows[i])] = told(finished, i, search.best, model.mark)
            left = (~done).nonzero()[:, 0]
            if not len(left):
                break
            rows, running, finished, beam = rows[left], running.at(left), finished.at(left), beam[left]
            writing.select((left[:, None] * k + beam).flatten())
        else:
            follow(writing, beam, k)
        last = running.ids[:, :, t].flatten()
    return results


def blank(n: int, k: int, most: int, device: torch.device) -> Beams:
    """Beams of nothing yet."""
    zeros = torch.zeros(n, k, device=device)
    return Beams(torch.zeros(n, k, most, dtype=torch.long, device=device), zeros, zeros.clone(), torch.zeros_like(zeros, dtype=torch.long))


def candidates(logits: Float[Tensor, "nk v"], total: Float[Tensor, "n k"], k: int, summed: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The 2k likeliest ways on of each source: the beam they come from, the token, and their log-probability."""
    n, wide = len(total), min(2 * k, logits.shape[1])
    logits = logits.float()
    best, token = logits.topk(wide, dim=1)  # of a beam no more than 2k can be among the 2k of its source
    ways = best if summed else best - logits.logsumexp(1, keepdim=True)
    ways = (ways + total.flatten()[:, None]).view(n, -1)
    top, place = ways.topk(min(2 * k, ways.shape[1]), dim=1)
    return place // wide, token.view(n, -1).gather(1, place), top


def ends(token: Int[Tensor, "n c"], mark: int, t: int, most: int) -> Tensor:
    """Which ways on end a text: those with the mark, and all at the last step."""
    return torch.ones_like(token, dtype=torch.bool) if t + 1 == most else token == mark


def ended(finished: Beams, running: Beams, ways: tuple[Tensor, Tensor, Tensor], t: int, ends: Tensor, penalty: float) -> Beams:
    """The best k of the finished texts and those that end now; only the k likeliest ways on may end."""
    k = running.total.shape[1]
    beam, token, total = (part[:, :k] for part in ways)
    now = running.picked(beam)
    now.ids[:, :, t] = token
    score = torch.where(ends[:, :k], total / (t + 1) ** penalty, NEVER)
    new = Beams(now.ids, total, score, torch.full_like(token, t + 1))
    both = Beams(*(torch.cat([a, b], dim=1) for a, b in zip(finished, new, strict=True)))
    return both.picked(both.score.topk(k, dim=1).indices)


def continued(running: Beams, ways: tuple[Tensor, Tensor, Tensor], t: int, mark: int) -> tuple[Beams, Tensor]:
    """The k likeliest ways on that do not end, and the beam each comes from."""
    beam, token, total = ways
    top, place = torch.where(token == mark, NEVER, total).topk(min(running.total.shape[1], total.shape[1]), dim=1)
    beam, token = beam.gather(1, place), token.gather(1, place)
    on = running.picked(beam)._replace(total=top)
    on.ids[:, :, t] = token
    return on, beam


def settled(running: Beams, finished: Beams, t: int, penalty: float) -> Tensor:
    """Which sources can find nothing better."""
    nothing_better: Tensor = running.total[:, 0] / (t + 1) ** penalty <= finished.score.amin(1)
    return nothing_better


def follow(writing: Writing, beam: Int[Tensor, "n k"], k: int) -> None:
    """Let the caches follow the beams, where these do not stay where they are."""
    n = len(beam)
    if k == 1 or bool((beam == torch.arange(k, device=beam.device)).all()):
        return
    writing.reorder((torch.arange(n, device=beam.device)[:, None] * k + beam).flatten())


def told(finished: Beams, row: int, best: int, mark: int) -> list[Hypothesis]:
    """The best finished texts of a source."""
    found: list[Hypothesis] = []
    for i in range(best):
        score = float(finished.score[row, i])
        if score == NEVER:
            break
        length = int(finished.length[row, i])
        ids = finished.ids[row, i, :length].tolist()
        found.append(Hypothesis(ids[:-1] if ids[-1] == mark else ids, score, float(finished.total[row, i])))
    return found
