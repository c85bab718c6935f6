"""Addresses, minutes and stories: what should be one is one, in every script."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.minutes import CHINESE, JAPANESE, WORDS, Length, Pace, Read, length
from heedful.diet.intake.stories import ALIKE, HASHES, shingles, signature, stories
from heedful.errors import DataError


@pytest.mark.parametrize(
    ("given_", "one"),
    [
        ("http://Example.org", "http://example.org/"),
        ("http://example.org:80/a?b=1&utm_medium=rss&c=", "http://example.org/a?b=1&c="),
        ("https://example.org:8443/%7Ea/?fbclid=x", "https://example.org:8443/%7Ea/"),
        ("https://example.org/a/b/../../../c/.", "https://example.org/c/"),
        ("https://bücher.example/ä?q=ä", "https://xn--bcher-kva.example/%C3%A4?q=ä"),
        ("https://[::1]:443/x", "https://[::1]/x"),
    ],
)
def test_an_address_has_one_form_and_keeps_it(given_: str, one: str) -> None:
    assert canonical(given_) == one
    assert canonical(one) == one


@pytest.mark.parametrize("wrong", ["", "feed.xml", "ftp://example.org/", "https://", "http://[::1", "http://example.org:99999/"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(DataError, match="would work"):
        canonical(wrong)


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        one = canonical("https://example.org/" + text)
    except DataError:
        return
    assert canonical(one) == one


def test_minutes_follow_the_script() -> None:
    assert Pace().minutes("one two three " * 100) == pytest.approx(300 / WORDS)
    assert Pace().minutes("我们喜欢读书。" * 10) == pytest.approx(60 / CHINESE)
    assert Pace().minutes("私は本を読むのが好きです。") == pytest.approx(12 / JAPANESE)
    assert Pace().minutes("") == 0.0
    assert length("state-of-the-art naïve café, 3.5 %") == Length(4, 0, False)
    assert length("읽기를 좋아합니다") == Length(2, 0, False)


def test_a_pace_is_learnt_slowly_and_not_from_what_was_not_read() -> None:
    assert Pace.learnt([]).factor == 1.0
    assert Pace.learnt([Read(4.0, 0.1), Read(4.0, 400.0), Read(0.0, 1.0)]).factor == 1.0
    slow = [Pace.learnt([Read(2.0, 3.0)] * n).factor for n in (1, 10, 1000)]
    assert 1.0 < slow[0] < slow[1] < slow[2] < 1.5
    assert slow[2] == pytest.approx(1.5, rel=0.005)


def test_signatures_estimate_what_is_in_common() -> None:
    rng = random.Random(0)
    words = [f"w{i}" for i in range(400)]
    a = shingles(" ".join(words))
    b = shingles(" ".join(words[:250] + rng.sample(words, 150)))
    truth = len(a & b) / len(a | b)
    found = float((signature(a) == signature(b)).mean())
    assert abs(found - truth) < 4 * (truth * (1 - truth) / HASHES) ** 0.5


def test_a_story_told_again_is_found_in_any_script_and_others_are_left_apart() -> None:
    english = "Parliament passed the long awaited budget on Tuesday after a night of debate, with a majority of three votes"
    chinese = "国家公园今天宣布,经过三年的修复工作,位于山谷中的古老石桥将于下个月重新向游客开放。"
    texts = [english, chinese, english + " (Reuters)", "Rain is expected in the north", chinese[:-1] + ",记者报道。", "", ""]
    assert stories(texts) == [0, 1, 0, 3, 1, 5, 6]
    assert len(shingles(english) & shingles(texts[2])) / len(shingles(english) | shingles(texts[2])) > ALIKE
