from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from heedful.explanations.markup import Markup, element, escape, join


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


PLAIN = st.text(st.characters(blacklist_categories=("Cs", "Cc")))


@given(PLAIN, PLAIN)
def test_text_and_attributes_come_out_as_they_went_in(text: str, attribute: str) -> None:
    reader = Reader()
    reader.feed(element("p", {"title": attribute}, text))
    reader.close()
    assert reader.tags == [("p", {"title": attribute})]
    assert reader.text == text


def test_markup_is_not_escaped_twice() -> None:
    assert escape(escape("<b>")) == "&lt;b&gt;"
    assert join("<", Markup("<i></i>")) == "&lt;<i></i>"


def test_false_and_none_leave_an_attribute_out() -> None:
    assert element("img", {"alt": "", "hidden": False, "class": None, "draggable": True}) == '<img alt="" draggable>'
