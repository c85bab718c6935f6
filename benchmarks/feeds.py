"""What becomes of the real feed documents: HEEDFUL_DATA=... python benchmarks/feeds.py

Every document of feedparser's and rss-parser's own suites ($HEEDFUL_DATA/feeds) is parsed, or refused in one line; anything else would end
this with its traceback.
"""

from __future__ import annotations

import os
import time
import zipfile
from collections import Counter
from pathlib import Path

from heedful.diet.intake.feeds import parse
from heedful.errors import DataError

DATA = Path(os.environ.get("HEEDFUL_DATA", "~/.cache/heedful/data")).expanduser() / "feeds"
ENDINGS = (".xml", ".json", ".rss", ".atom")
KINDS = ("wellformed", "entities", "encoding", "illformed", "json", "input")


def main() -> None:
    tables: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    refused: list[str] = []
    spent = 0.0
    for archive in ("feedparser-tests", "rss-parser-tests"):
        with zipfile.ZipFile(DATA / f"{archive}.zip") as file:
            for name in file.namelist():
                kind = next((part for part in name.split("/")[:2] if part in KINDS), "")
                if not kind or not name.endswith(ENDINGS):
                    continue
                document, start = file.read(name), time.process_time()
                try:
                    channel = parse(document, f"https://example.org/{name}")
                except DataError as error:
                    tables[kind]["refused"] += 1
                    refused.append(str(error))
                else:
                    tables[kind] += Counter(parsed=1, entries=len(channel.entries), empty=not channel.entries)
                spent += time.process_time() - start
    print("| documents | parsed | of these without entries | entries | refused |\n|---|---:|---:|---:|---:|")
    for kind, found in tables.items():
        name = "real feeds" if kind == "input" else kind
        print(f"| {name} | {found['parsed']} | {found['empty']} | {found['entries']} | {found['refused']} |")
    total = sum(tables.values(), Counter())
    print(f"| all | {total['parsed']} | {total['empty']} | {total['entries']} | {total['refused']} |")
    print(*refused, sep="\n")
    print(f"{spent:.1f} s of the processor")


if __name__ == "__main__":
    main()
