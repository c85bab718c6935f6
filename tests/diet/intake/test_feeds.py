"""Feeds as they are written: every format, every real document, and what is no feed refused in one line."""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.intake import feeds
from heedful.diet.intake.channel import Entry
from heedful.diet.intake.feeds import parse
from heedful.diet.intake.markup import plain
from heedful.errors import DataError

DATA = Path(os.environ.get("HEEDFUL_DATA", "~/.cache/heedful/data")).expanduser() / "feeds"
RSS = """<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>News &amp;amp; more</title><link>https://a.example/</link><language>en-gb</language>
<item><title>Fish &amp;amp; &lt;b&gt;chips&lt;/b&gt;</title><link>https://a.example/1?utm_source=rss</link><guid>1</guid>
<description>Short
&lt;script&gt;alert(1)&lt;/script&gt;</description>
<content:encoded><![CDATA[<p>The whole</p><p>text, at last</p>]]></content:encoded>
<author>ann@a.example (Ann)</author><category>Food</category><pubDate>Sat, 21 Nov 2026 08:00:00 +0100</pubDate>
<enclosure url="https://a.example/1.mp3" type="audio/mpeg" length="1"/><itunes:duration>1:00:05</itunes:duration></item>
<item></item></channel></rss>"""
ATOM = """<?xml version="1.0" encoding="{encoding}"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN"><title>报</title>
<entry><title type="text">a &lt; b 读书</title><id>tag:x,1</id><link href="https://a.example/1"/><updated>2026-11-21T08:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>我爱读书。</p></div></content></entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "J",
    "home_page_url": "https://a.example/",
    "language": "ja",
    "items": [
        {
            "id": 3,
            "url": "https://a.example/3",
            "content_html": "<p>One</p><p>Two</p>",
            "date_published": "2026-11-21T09:00:00+01:00",
            "authors": [{"name": "Ann"}, {"url": "x"}],
            "tags": ["a", 5],
            "attachments": [{"url": "https://a.example/3.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 61}],
        },
        "nonsense",
        {"id": "empty"},
    ],
}
EIGHT = 1795248000.0  # 2026-11-21 08:00 UTC


def test_rss() -> None:
    channel = parse(RSS.encode())
    assert (channel.title, channel.home, channel.language) == ("News & more", "https://a.example/", "en-GB")
    assert channel.entries == (
        Entry(
            link="https://a.example/1?utm_source=rss",
            key="1",
            title="Fish & chips",
            text="The whole\n\ntext, at last",
            summary="Short",
            author="ann@a.example (Ann)",
            published=EIGHT - 3600,
            seconds=3605.0,
            media="https://a.example/1.mp3",
            language="en-GB",
            tags=("Food",),
        ),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "big5"])
def test_atom_in_its_encodings(encoding: str) -> None:
    written = ATOM if encoding != "big5" else ATOM.replace("报", "報").replace("读书", "讀書").replace("爱", "愛")
    channel = parse(written.format(encoding=encoding).encode(encoding))
    (entry,) = channel.entries
    assert entry.title in ("a < b 读书", "a < b 讀書")
    assert entry.text in ("我爱读书。", "我愛讀書。")
    assert (entry.published, entry.language) == (EIGHT, "zh-CN")


def test_the_server_says_the_encoding_where_the_document_does_not() -> None:
    document = "<rss version='2.0'><channel><title>café</title></channel></rss>"
    assert parse(document.encode("latin-1"), content_type="text/xml; charset=iso-8859-1").title == "café"
    assert parse(document.encode(), content_type="text/html").title == "café"


def test_json_feed() -> None:
    channel = parse(json.dumps(JSON).encode())
    assert (channel.title, channel.home) == ("J", "https://a.example/")
    (entry,) = channel.entries
    assert (entry.key, entry.text, entry.published) == ("3", "One\n\nTwo", EIGHT)
    assert (entry.author, entry.tags, entry.media, entry.seconds) == ("Ann", ("a",), "https://a.example/3.mp3", 61.0)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<!doctype html><html><title>Hi</title></html>", "a page of HTML, no feed"),
        (b"\x00\x01\x02", "no feed"),
        (b"%PDF-1.4 binary", "no feed"),
        (b"{", "no JSON"),
        (b'{"a": 1}', "JSON without"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": 3}', "JSON without"),
        (b"{" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_feed_is_refused_in_one_line(document: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        parse(document, "https://a.example/")
    assert "\n" not in str(caught.value)
    assert "would work" in str(caught.value)


def test_entities_do_not_grow_and_nothing_is_read_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    lol = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{lol}]><rss version="2.0"><channel><title>&l9;</title></channel></rss>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(DataError, match="entities made of entities"):
            parse(bomb.encode(encoding))
    file = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>&x;</title></channel></rss>'
    assert "root" not in parse(file.encode()).title
    with pytest.raises(DataError, match="no feed"):
        parse(b"/etc/passwd")
    monkeypatch.setattr(feeds, "LARGEST", 100)
    with pytest.raises(DataError, match="bytes"):
        parse(b" " * 101)


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=50)
def test_any_text_is_made_plain(text: str) -> None:
    for written in (text, f"<p>{text}</p>", f"<![{text}", f"<!{text}>", f"&{text};"):
        made = plain(written)
        assert made == made.strip()
        assert "\n\n\n" not in made
        assert "\x00" not in made


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=50)
def test_any_document_is_parsed_or_refused(document: bytes) -> None:
    for wrapped in (document, b"<rss version='2.0'><channel><item><title>" + document + b"</title></item></channel></rss>"):
        try:
            parse(wrapped)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a<p>b", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<script/>seen<style>p{}</style>", "seen"),
        ("<script>hidden", ""),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("a &lt;script&gt; b &nbsp; &#x202e;c", "a <script> b c"),
        ("<p>a<img src=x alt='A cat'>b<img src=y></p>", "a [A cat] b"),
        ("no tags & no entities", "no tags & no entities"),
    ],
)
def test_markup(markup: str, text: str) -> None:
    assert plain(markup) == text


def documents() -> list[tuple[str, bytes]]:
    found = []
    for name in ("feedparser-tests", "rss-parser-tests"):
        with zipfile.ZipFile(DATA / f"{name}.zip") as file:
            names = [
                one for one in file.namelist() if one.endswith((".xml", ".json", ".rss", ".atom", ".rdf", ".cdf")) and "output/" not in one
            ]
            found.extend((one, file.read(one)) for one in names)
    return found


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="needs $HEEDFUL_DATA/feeds")
def test_real_documents_all_parse_or_are_refused_cleanly() -> None:
    counts: Counter[str] = Counter()
    refused = []
    for name, document in documents():
        try:
            channel = parse(document, f"https://example.org/{name}")
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused.append(name.rsplit("/", 1)[-1])
            continue
        counts["parsed"] += 1
        counts["entries"] += len(channel.entries)
        assert all("<script" not in entry.title.lower() for entry in channel.entries)
    assert counts["parsed"] + len(refused) == 2138
    assert set(refused) == {"rss_empty_document.xml", "unrecognized.rss"}  # nothing in the one, two roots in the other
