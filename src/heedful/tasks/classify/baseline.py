"""What every classifier stands beside: a linear support vector machine on tf-idf (Joachims 1998; Salton & Buckley 1988)."""

from __future__ import annotations

from typing import Any, Final

from heedful.data.labelled.texts import Texts
from heedful.data.words import WORD
from heedful.errors import MissingExtra

SHORT: Final = 4_000_000  # characters to learn from, up to which runs of characters are counted too


class Baseline:
    """Logarithmic counts of words and pairs of words, and of 2 to 5 characters where texts are few, weighted by rarity, under a linear SVM.

    Of scripts without spaces every character is a word.

    >>> texts = Texts(("a good film", "good fun", "a bad film", "bad, so bad"), ("+", "+", "-", "-"))
    >>> Baseline(texts).predict(["good", "bad"])
    ['+', '-']
    """

    def __init__(self, texts: Texts) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.pipeline import FeatureUnion, make_pipeline
            from sklearn.svm import LinearSVC
        except ImportError:
            raise MissingExtra("scikit-learn", "text", "classifying texts beside a linear baseline") from None
        kinds = [("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD.pattern))]
        self.name = "tf-idf of words"
        if sum(map(len, texts.texts)) <= SHORT:
            kinds.append(("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)))
            self.name = "tf-idf of words and characters"
        self.pipeline: Any = make_pipeline(FeatureUnion(kinds), LinearSVC(random_state=0))
        self.pipeline.fit(texts.texts, texts.labels)

    def predict(self, texts: list[str] | tuple[str, ...]) -> list[str]:
        """The class of each text."""
        return [str(label) for label in self.pipeline.predict(texts)]
