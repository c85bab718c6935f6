from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

from heedful.data.labelled.texts import Texts
from heedful.tasks.classify.baseline import Baseline

GOOD = ("这部电影很好看", "我非常喜欢这个故事", "演员演得很好", "这本书很有意思")
BAD = ("这部电影很难看", "我非常讨厌这个故事", "演员演得很差", "这本书很无聊")


def test_the_baseline_counts_the_characters_of_chinese_as_words() -> None:
    baseline = Baseline(Texts(GOOD + BAD, ("+",) * 4 + ("-",) * 4))
    known = baseline.pipeline.named_steps["featureunion"].transformer_list[0][1].vocabulary_
    assert {"好", "很 好"} <= set(known)
    assert baseline.predict(["演得很好", "演得很差"]) == ["+", "-"]
