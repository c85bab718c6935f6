"""OPML, pages, newsletters and folders, each as a channel; and what is none, refused in one line."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.intake import opml
from heedful.diet.intake.folder import texts
from heedful.diet.intake.newsletter import letters
from heedful.diet.intake.page import linked, page_of
from heedful.diet.intake.recognise import recognised
from heedful.diet.store.rows import Source
from heedful.errors import DataError

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Cf", "Zs", "Zl", "Zp")), max_size=12)
SOURCES = st.builds(
    Source,
    address=st.integers(0, 50).map(lambda number: f"https://a.example/{number}?x=1&y=%22"),
    title=NAMES.filter(bool),
    kind=st.sampled_from(["feed", "page"]),
    topic=NAMES,
)
ARTICLE = "<p>The council voted on Monday to close the old bridge over the river for repairs until the spring of next year.</p>"
PAGE = f"""<!doctype html><html lang="en-GB"><head><title>Bridge closed</title><meta name="author" content="Ann Other">
<link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel="stylesheet" href="/x.css"></head>
<body><nav><a href="/">Home</a> <a href="/shop">Shop</a></nav><article><h1>Bridge closed</h1>{ARTICLE * 5}</article></body></html>"""


@given(st.lists(SOURCES, min_size=1, max_size=8, unique_by=lambda source: source.address))
@settings(deadline=None, max_examples=40)
def test_a_list_written_is_read_as_it_was(sources: list[Source]) -> None:
    def said(some: list[Source]) -> set[tuple[str, ...]]:
        return {(one.address, one.title, one.kind, one.topic) for one in some}

    assert said(opml.read(opml.write(sources).encode())) == said(sources)


def test_a_list_as_other_readers_write_it() -> None:
    document = """<?xml version="1.0"?><OPML version="1.1"><head/><body>
    <outline text="News"><outline text="Far"><outline type="rss" text="A" XMLURL="HTTPS://A.example:443/f"/></outline></outline>
    <outline text="B" xmlUrl="feed://b.example/f" category="/Boyhood/Science,x"/><outline text="again" xmlUrl="https://a.example/f"/>
    <outline text="C" xmlUrl="not an address"/><outline text="empty"/><outline type="link" text="P" url="https://p.example/"/></body></OPML>"""
    found = [(one.address, one.title, one.kind, one.topic) for one in opml.read(document.encode())]
    assert found == [
        ("https://a.example/f", "A", "feed", "Far"),
        ("http://b.example/f", "B", "feed", "Science"),
        ("https://p.example/", "P", "page", ""),
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "no XML"),
        (b"<opml><body>", "no XML"),
        (b"<html/>", "'html' where opml was expected"),
        (b"<opml><body/></opml>", "no outline"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><opml/>', "entities of its own"),
        (b'<?xml version="1.0" encoding="nonsense"?><opml/>', "no XML"),
        (b"<opml>" + b"<outline>" * 500 + b"</outline>" * 500 + b"</opml>", "no outline"),
    ],
)
def test_what_is_no_list_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        opml.read(document)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("default")  # of lxml and dateparser, inside trafilatura
def test_a_page_is_its_article() -> None:
    pytest.importorskip("trafilatura")
    channel = page_of(PAGE.encode(), "https://a.example/bridge")
    (entry,) = channel.entries
    assert (entry.title, entry.author, entry.language) == ("Bridge closed", "Ann Other", "en-GB")
    assert "council voted" in entry.text
    assert "Shop" not in entry.text
    with pytest.raises(DataError, match="no text to read"):
        page_of(b"<html><body></body></html>", "https://a.example/")
    with pytest.raises(DataError, match="no text to read"):
        page_of(b"", "https://a.example/")


def test_a_page_names_its_feeds() -> None:
    assert linked(PAGE.encode(), "https://a.example/x/y") == ["https://a.example/feed.xml"]
    assert linked("<link rel=alternate type=application/atom+xml href='http://[bad'>".encode("utf-16"), "https://a.example/") == []


def letter(number: int, html: str | None = None) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = '"The Weekly" <w@a.example>', f"Nr. {number} – 読書", "Sat, 21 Nov 2026 08:00:00 +0000"
    made["Message-ID"] = f"<{number}@a.example>"
    made.set_content("Plain text\n")
    if html:
        made.add_alternative(html, subtype="html")
    return made


def test_newsletters_from_a_message_a_mailbox_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(bytes(letter(1, "<p>Hello</p><img src='https://track.example/x.gif'><p>World</p>")))
    box = mailbox.mbox(tmp_path / "all.mbox")
    for number in (2, 3):
        box.add(letter(number))
    box.close()
    channel = letters(tmp_path / "one.eml")
    (entry,) = channel.entries
    assert (channel.title, entry.key, entry.title, entry.text) == ("The Weekly", "<1@a.example>", "Nr. 1 – 読書", "Hello\n\nWorld")
    assert (entry.author, entry.published) == ("The Weekly", 1795248000.0)
    assert [one.text for one in letters(tmp_path / "all.mbox").entries] == ["Plain text", "Plain text"]
    assert len(letters(tmp_path).entries) == 3


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 50, b"no headers here", b"<html></html>"])
def test_what_is_no_message_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.eml").write_bytes(content)
    with pytest.raises(DataError, match="would work"):
        letters(tmp_path / "x.eml")
    with pytest.raises(DataError, match="not found"):
        letters(tmp_path / "missing.mbox")


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=30)
def test_any_message_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("letters") / "x.eml"
    for head in (b"", b"Subject: x\n", b"Subject: x\nContent-Type: text/html; charset=nonsense\nContent-Transfer-Encoding: base64\n\n"):
        path.write_bytes(head + body)
        try:
            letters(path)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "my-text.txt").write_text("我爱读书", encoding="gb18030")
    (tmp_path / "note.md").write_text("---\ntitle: 'Front matter'\n---\n# Heading\n\nBody *text*.\n")
    (tmp_path / "plain.md").write_text("# Heading #\n\nBody.\n")
    (tmp_path / "page.html").write_text("<html lang=de><title>Seite</title><body><p>Eins<p>Zwei</body></html>")
    (tmp_path / ".hidden.txt").write_text("hidden")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    found = {entry.key: (entry.title, entry.text.split("\n")[-1], entry.language) for entry in texts(tmp_path).entries}
    assert found == {
        "deep/my-text.txt": ("my text", "我爱读书", "zh"),
        "note.md": ("Front matter", "Body *text*.", ""),
        "plain.md": ("Heading", "Body.", ""),
        "page.html": ("Seite", "Zwei", "de"),
    }
    assert [entry.key for entry in texts(tmp_path / "plain.md").entries] == ["plain.md"]
    with pytest.raises(DataError, match="no text in it"):
        texts(tmp_path / "picture.png")
    with pytest.raises(DataError, match="not found"):
        texts(tmp_path / "missing")


def test_what_is_named_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "list.opml").write_text(opml.write([Source(address="https://a.example/f", title="A")]))
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(bytes(letter(1)))
    assert [one.kind for one in recognised(str(tmp_path))] == ["folder"]
    assert [one.kind for one in recognised(str(tmp_path / "a.txt"))] == ["folder"]
    assert [one.kind for one in recognised(str(tmp_path / "mail"))] == ["newsletter"]
    assert [(one.kind, one.title) for one in recognised(str(tmp_path / "mail" / "one.eml"))] == [("newsletter", "The Weekly")]
    assert [one.address for one in recognised(str(tmp_path / "list.opml"))] == ["https://a.example/f"]
    for wrong in ("./missing.opml", "nonsense", "ftp://a.example/f"):
        with pytest.raises(DataError, match="would work"):
            recognised(wrong)
