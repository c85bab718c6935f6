"""Whatever the pieces, the text ends before the first stop string and nothing else is lost."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from heedful.tasks.stopping import Stopper, overlap


@example(pieces=["aba"], stops=["aba", "b"])
@given(st.lists(st.text("ab", max_size=4), max_size=8), st.lists(st.text("ab", min_size=1, max_size=3), max_size=2))
def test_pieces_give_what_the_whole_text_gives(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    ends = [(whole.find(stop) + len(stop), whole.find(stop)) for stop in stops if stop in whole]
    stopper = Stopper(stops)
    shown = "".join(stopper.push(piece) for piece in pieces)
    assert stopper.stopped == bool(ends)
    assert shown + stopper.close() == (whole[: min(ends)[1]] if ends else whole)


def test_overlap_is_the_longest_beginning_at_the_end() -> None:
    assert (overlap("xaba", "abab"), overlap("xab", "b"), overlap("", "a")) == (3, 0, 0)
