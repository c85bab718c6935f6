"""Questions and entries, against matching each changed text anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.explained.conftest import stirred

from heedful.data.tokens.grams import Grams
from heedful.errors import UsageError
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.table import METHODS
from heedful.models.matcher.matcher import Matcher
from heedful.spec import RunSpec
from heedful.spec.matcher import MatcherSpec
from heedful.spec.questions import QuestionSpec
from heedful.tasks.explained.matched import Pair, of_question
from heedful.tasks.match.calibration import Calibration
from heedful.tasks.match.index.store import Entries
from heedful.tasks.match.loading import LoadedMatcher
from heedful.tasks.match.matched import Matching
from heedful.tasks.match.matching import known
from heedful.train.run import Run

pytest.importorskip("scipy")
ROUNDING = 8 * 32 * 2.0**-24  # cosines of float32 vectors, scaled by 16 and weighed: a few roundings of numbers below 32
TEXTS = ("I lost my card", "my card is gone", "forgot my pin code", "a new pin please", "transfer money abroad")
LABELS = ("card", "card", "pin", "pin", "money")
ANSWERS = {"card": "We block the card.", "pin": "A new pin comes by post."}


@pytest.fixture(params=[0, 1], ids=["streams", "reranked"])
def matching(request: pytest.FixtureRequest) -> Matching:
    torch.manual_seed(0)
    grams = Grams.train(["\n".join(TEXTS)], None)
    spec = MatcherSpec(
        vocabulary=grams.size, labels=("card", "money", "pin"), width=16, heads=2, lexical=8, context=16, hard=1, rerank=request.param
    )
    model = stirred(Matcher(spec)).float()
    assert isinstance(model, Matcher)
    loaded = LoadedMatcher(Run(Path("nowhere")), model, grams, RunSpec(task="match", data=QuestionSpec("a set"), model=spec))
    return Matching(loaded, known(loaded, entries_of(loaded, TEXTS)), Calibration("x", (0.3, 0.2, 1.0, 0.2, 0.1 * request.param)))


def entries_of(loaded: LoadedMatcher, texts: tuple[str, ...]) -> Entries:
    return Entries(texts, LABELS, tuple(range(len(texts))), loaded.vectors(texts), ANSWERS)


def test_words_of_both_are_taken_away_as_if_never_said(matching: Matching) -> None:
    pair = of_question(matching, "My card is lost!", "card")
    assert isinstance(pair, Pair)
    assert pair.parts[0] == ("the question", 5)
    assert pair.entry in (["i", "lost", "my", "card"], ["my", "card", "is", "gone"])
    kept = torch.ones(3, pair.count, dtype=torch.bool)
    kept[1, 1], kept[2, 5] = False, False
    place = matching.index.names.index("card")

    def logs(given: Matching, question: str) -> float:
        return float(torch.from_numpy(given.matched([question]).logits[0]).double().log_softmax(-1)[place])

    texts = list(TEXTS)
    texts[pair.meaning.entry] = " ".join(pair.entry[1:])
    entries = entries_of(matching.loaded, tuple(texts))
    anew = replace(matching, index=known(matching.loaded, entries))
    expected = [logs(matching, "My card is lost!"), logs(matching, "my is lost !"), logs(anew, "my card is lost!")]
    np.testing.assert_allclose(pair.scored(kept).numpy(), expected, atol=ROUNDING)


def test_the_default_measures_a_short_pair_exactly_and_a_long_one_in_twenty_passes(matching: Matching) -> None:
    short, long = of_question(matching, "new pin"), of_question(matching, "please could I have a very new pin for my stolen card right now")
    assert (Measured().scores(short) - Occlusion().scores(short)).abs().max() <= ROUNDING
    assert short.count <= 16 < long.count
    scores = Measured().scores(long)
    assert Measured().passes(long) == 20
    assert bool(torch.isfinite(scores).all())


def test_contrasts_and_refusals(matching: Matching) -> None:
    pair = of_question(matching, "new pin", "pin", "card")
    found = matching.matched(["new pin"]).logits[0]
    names = matching.index.names
    assert float(pair.scored(pair.whole())) == pytest.approx(float(found[names.index("pin")] - found[names.index("card")]), abs=ROUNDING)
    assert {m.name for m in METHODS if m.why_not(pair) is None} == {"measured", "occlusion", "shapley", "random"}
    for asked, words in ((("pim", None), "'pin'"), (("pin", "pin"), "against itself")):
        with pytest.raises(UsageError, match=words):
            of_question(matching, "new pin", *asked)
    with pytest.raises(UsageError, match="delete would work"):
        pair.scored(pair.whole(), "mask")
    with pytest.raises(UsageError, match="no question"):
        of_question(matching, " ")


def test_under_weights_drawn_anew_the_index_is_made_anew(matching: Matching) -> None:
    pair = of_question(matching, "new pin", "pin")
    other = pair.randomised(0)
    assert other.names == pair.names
    assert not np.allclose(other.matching.index.entries.vectors, matching.index.entries.vectors)
    assert other.randomised(0).matching is other.matching
