"""An edition by value a minute: the best next item again and again, then exchanges (Khuller et al. 1999; Minoux 1978 for the lazy heap)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace

from heedful.diet.edition.ledger import Ledger
from heedful.diet.edition.menu import SLACK, Candidate, Diet, Edition, checked

ROUNDS = 2  # of exchanges at most; a third found nothing more
SHORT = 40  # items, the best by each of two orders, that an exchange looks at


def greedy(candidates: Sequence[Candidate], diet: Diet, rounds: int = ROUNDS) -> Edition:
    """An edition within the diet's minutes: floors first, then by gain a minute, then exchanges that gain.

    Never over the budget or a ceiling; a floor that no candidates can fill is reported, not an error.

    >>> read = [Candidate("long", 20.0, 30.0), Candidate("short", 5.0, 20.0), Candidate("shorter", 4.0, 10.0)]
    >>> greedy(read, Diet(minutes=10.0)).keys
    ('short', 'shorter')

    Arguments:
        candidates: what may be read.
        diet: the minutes and what they are held to.
        rounds: of exchanges at most; without them an edition is made some times faster and is worth a little less.

    Raises `UsageError` for candidates without minutes, or named twice.
    """
    ledger = Ledger(diet, checked(candidates))
    choose(ledger, rounds)
    return told(ledger)


def choose(ledger: Ledger, rounds: int = ROUNDS) -> None:
    """Put the items of an edition into a ledger that holds none."""
    everything = range(len(ledger.candidates))
    for group in sorted(ledger.short(), key=lambda g: -ledger.least[g]):
        fill(ledger, [i for i in everything if group in ledger.groups[i]], floor=group)
    promising = shortlist(ledger)
    fill(ledger, everything)
    for _ in range(rounds):
        if not exchange(ledger, promising):
            break


def shortlist(ledger: Ledger) -> list[int]:
    """The best items by gain and by gain a minute; what an item gains can only fall as others are taken."""
    gains = [(ledger.gain(i), ledger.gain(i) / one.minutes, i) for i, one in enumerate(ledger.candidates)]
    best = [sorted(gains, key=lambda found: -found[order])[:SHORT] for order in (0, 1)]
    return sorted({i for found in best for gain, _, i in found if gain > 0})


def fill(ledger: Ledger, items: Iterable[int], floor: int | None = None) -> None:
    """Take the best item a minute that fits, while it gains, or until the floor of a group holds."""
    inside = set(ledger.taken)
    heap = [(-ledger.gain(i) / ledger.candidates[i].minutes, i) for i in items if i not in inside]
    heapify(heap)
    while heap and (floor is None or ledger.by_group[floor] < ledger.least[floor] - SLACK):
        dear, i = heap[0]
        if not ledger.fits(i) or (floor is None and dear >= 0):
            heappop(heap)
            continue
        now = -ledger.gain(i) / ledger.candidates[i].minutes
        if now > dear + SLACK:  # worth less than when it was last looked at: let another be first
            heapreplace(heap, (now, i))
            continue
        heappop(heap)
        ledger.take(i)


def exchange(ledger: Ledger, promising: Sequence[int]) -> bool:
    """Exchange items that are in for better ones that are not; whether anything was gained."""
    found = False
    for out in list(ledger.taken):
        if ledger.needed(out):
            continue
        ledger.drop(out)
        lost, before = ledger.gain(out), list(ledger.taken)
        came = refill(ledger, promising)
        if came > lost + SLACK:
            found = True
            continue
        for i in [i for i in ledger.taken if i not in before]:
            ledger.drop(i)
        ledger.take(out)
    return found


def refill(ledger: Ledger, promising: Sequence[int]) -> float:
    """The best of two ways to use the room there is, taken: by gain a minute, or by gain alone; what it gains."""
    inside = set(ledger.taken)
    others = [(ledger.gain(i), i) for i in promising if i not in inside and ledger.fits(i)]
    others = [(gain, i) for gain, i in others if gain > 0]
    best, chosen = 0.0, []
    for order in (lambda pair: -pair[0], lambda pair: -pair[0] / ledger.candidates[pair[1]].minutes):
        total, came = 0.0, []
        for _, i in sorted(others, key=order)[:24]:
            gain = ledger.gain(i)
            if gain > 0 and ledger.fits(i):
                ledger.take(i)
                came.append(i)
                total += gain
        for i in came:
            ledger.drop(i)
        if total > best:
            best, chosen = total, came
    for i in chosen:
        ledger.take(i)
    return best


def told(ledger: Ledger) -> Edition:
    """What was taken as an edition: the best a minute first, each with what it adds to those before it."""
    chosen, unmet = list(ledger.taken), tuple(ledger.said(g) for g in ledger.short())
    needed = {i: next((g for g in ledger.groups[i] if ledger.least[g]), None) for i in chosen if ledger.needed(i)}
    ledger.clear()
    shares = []
    while chosen:
        best = max(chosen, key=lambda i: (ledger.gain(i) / ledger.candidates[i].minutes, -i))
        shares.append(ledger.share(best, needed.get(best)))
        ledger.take(best)
        chosen.remove(best)
    return Edition(tuple(shares), ledger.diet.minutes, sum(share.gain for share in shares), unmet)
