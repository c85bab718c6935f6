"""How large the slabs and rectangles are, by what the work holds."""

from __future__ import annotations

from heedful.attention.masks.spans import BLOCK
from heedful.attention.tiles.slabs import Plan, scheduled, unmasked
from heedful.attention.tiles.work import Work

ROWS, COLUMNS = 256, 1024  # queries of a group's heads together, and keys, at most
AREA = 1 << 21  # scores at once, of all sequences and heads: near the cache, and many enough for what each operation costs to start
NARROW = 16  # blocks a row attends to on average, up to which slabs are kept low


def planned(work: Work) -> Plan:
    """The plan of the work's schedule, or of every pair."""
    b, h, q_len, k_len = work.sizes
    rows = whole_blocks(min(ROWS * work.k.shape[1] // max(h, 1), AREA // max(b * h * 4 * BLOCK, 1)))
    columns = min(COLUMNS, max(2 * BLOCK, whole_blocks(AREA // max(b * h * rows, 1))))
    if work.schedule is None:
        return unmasked(q_len, k_len, rows, columns)
    if work.schedule.entries <= NARROW * (len(work.schedule.start) - 1):
        rows = min(rows, 2 * BLOCK)
    return scheduled(work.schedule, rows, columns)


def whole_blocks(count: int) -> int:
    """The largest number of whole blocks within the count, one at least."""
    return max(BLOCK, count // BLOCK * BLOCK)
