from __future__ import annotations

from pathlib import Path

import pytest

from heedful.errors import UsageError
from heedful.tasks.look.look import look
from heedful.tasks.look.run import run_vectors


def test_a_runs_own_tokens_and_weights(run: Path) -> None:
    vectors = run_vectors(run)
    seen = look(["to be or not", "a quest"], vectors, 0)
    assert str(run) in seen.origin
    assert list(seen.pairs[0].queries) == list("to␣be␣or␣not")
    first = {row.name: row for row in seen.pairs[0].rows if row.family == "score"}["scaled_dot"]
    assert first.weights is not None
    assert first.weights.shape[1:] == (12, 12)
    assert {row.family for row in seen.pairs[0].rows} >= {"score", "mask", "gate"}
    assert seen.pairs[2].rows[0].weights is not None
    assert seen.pairs[2].rows[0].weights.shape[1:] == (12, 7)


def test_what_its_vocabulary_cannot_say_is_refused(run: Path) -> None:
    with pytest.raises(UsageError, match="书"):
        look(["书"], run_vectors(run), 0)
    with pytest.raises(UsageError, match="at least one word"):
        look([""], run_vectors(run), 0)
