"""The page's table of families is what the suite checks."""

from __future__ import annotations

import re
from pathlib import Path

from manage.hosts.families import REFUSED, SERVED

PAGE = (Path(__file__).parents[3] / "docs" / "hugging-face.md").read_text(encoding="utf-8")


def test_every_family_of_the_page_is_checked_and_the_other_way_round() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (decoder|encoder|encoder and decoder) \| [^|]* \| (yes|no)[^|]*\|$", PAGE, re.MULTILINE)
    kinds = {"decoder": "decoder", "encoder": "encoder", "encoder and decoder": "seq2seq"}
    assert [(name, kinds[kind], cut == "yes") for name, kind, cut in rows] == [(one.name, one.kind, one.apart) for one in SERVED]
    assert ", ".join(REFUSED) in PAGE
