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
        members = [i for i in everything if group in ledger.groups[i]]
        fill(ledger, members, [ledger.gain(i) for i in members], floor=group)
    gains = [ledger.gain(i) for i in everything]
    promising = shortlist(ledger, gains)
    fill(ledger, everything, gains)
    for _ in range(rounds):
        if not exchange(ledger, promising):
            break


def shortlist(ledger: Ledger, gains: Sequence[float]) -> list[int]:
    """The best items by gain and by gain a minute; what an item gains can only fall as others are taken."""
    orders = ([-gain for gain in gains], [-gain / minutes for gain, minutes in zip(gains, ledger.minutes, strict=True)])
    best = {i for order in orders for i in sorted(range(len(gains)), key=order.__getitem__)[:SHORT]}
    return sorted(i for i in best if gains[i] > 0)


def fill(ledger: Ledger, items: Iterable[int], gains: Iterable[float], floor: int | None = None) -> None:
    """Take the best item a minute that fits, while it gains, or until the floor of a group holds; `gains` are what each gains now."""
    inside, minutes = set(ledger.taken), ledger.minutes
    heap = [(-gain / minutes[i], i) for i, gain in zip(items, gains, strict=True) if i not in inside]
    heapify(heap)
    while heap and (floor is None or ledger.by_group[floor] < ledger.least[floor] - SLACK):
        dear, i = heap[0]
        if not ledger.fits(i) or (floor is None and dear >= 0):
            heappop(heap)
            continue
        now = -ledger.gain(i) / minutes[i]
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
    inside, minutes = set(ledger.taken), ledger.minutes
    others = [(ledger.gain(i), i) for i in promising if i not in inside and ledger.fits(i)]
    others = [(gain, i) for gain, i in others if gain > 0]
    best, chosen = 0.0, []
    for order in (lambda pair: -pair[0], lambda pair: -pair[0] / minutes[pair[1]]):
        total, came = 0.0, []
        for _, i in sorted(others, key=order)[:24]:
            # room first: after the first few there is hardly any, and asking for it is cheap
            if ledger.fits(i) and (gain := ledger.gain(i)) > 0:
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


def placed(ledger: Ledger) -> list[int]:
    """What was taken in the order in which it is read: the best a minute first."""
    left, order = list(ledger.taken), []
    ledger.clear()
    while left:
        best = max(left, key=lambda i: (ledger.gain(i) / ledger.minutes[i], -i))
        ledger.take(best)
        left.remove(best)
        order.append(best)
    return order


def told(ledger: Ledger) -> Edition:
    """What was taken as an edition: the best a minute first, each with what it adds to those before it."""
    unmet = tuple(ledger.said(g) for g in ledger.short())
    needed = {i: next((g for g in ledger.groups[i] if ledger.least[g]), None) for i in ledger.taken if ledger.needed(i)}
    order = placed(ledger)
    ledger.clear()
    shares = []
    for i in order:
        shares.append(ledger.share(i, needed.get(i)))
        ledger.take(i)
    return Edition(tuple(shares), ledger.diet.minutes, sum(share.gain for share in shares), unmet)
