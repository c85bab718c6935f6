"""The tables of the store, by the version of the format; `{id}`, `{real}`, `{bytes}` and `{head}` are written as each database has them.

The text of an item stands last, so that what stands before it is read without it. A new version is a new row of `MIGRATIONS`, never a
change of an old one.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE source (
            id {id}, address TEXT NOT NULL UNIQUE, title TEXT NOT NULL, kind TEXT NOT NULL, topic TEXT NOT NULL, viewpoint TEXT NOT NULL,
            etag TEXT NOT NULL, modified TEXT NOT NULL, due {real} NOT NULL, failures INTEGER NOT NULL, paused INTEGER NOT NULL,
            error TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE item (
            id {id}, source INTEGER NOT NULL REFERENCES source, address TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
            summary TEXT NOT NULL, author TEXT NOT NULL, published {real} NOT NULL, taken {real} NOT NULL, words INTEGER NOT NULL,
            characters INTEGER NOT NULL, seconds {real}, language TEXT NOT NULL, topic TEXT NOT NULL, viewpoint TEXT NOT NULL,
            depth TEXT NOT NULL, story INTEGER NOT NULL, media TEXT NOT NULL, filled INTEGER NOT NULL DEFAULT 0,
            text TEXT NOT NULL)""",
        "CREATE INDEX item_taken ON item (taken)",
        "CREATE INDEX item_source ON item (source, taken)",
        "CREATE INDEX item_story ON item (story)",
        """CREATE TABLE feedback (
            id {id}, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE, kind TEXT NOT NULL, value {real} NOT NULL, at {real} NOT NULL,
            reason TEXT NOT NULL)""",
        "CREATE INDEX feedback_item ON feedback (item)",
        "CREATE INDEX feedback_at ON feedback (at)",
        """CREATE TABLE edition (
            id {id}, day TEXT NOT NULL, minutes {real} NOT NULL, policy TEXT NOT NULL, diet TEXT NOT NULL, at {real} NOT NULL)""",
        "CREATE INDEX edition_day ON edition (day)",
        """CREATE TABLE shown (
            edition INTEGER NOT NULL REFERENCES edition ON DELETE CASCADE, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,
            place INTEGER NOT NULL, propensity {real} NOT NULL, minutes {real} NOT NULL, score {real} NOT NULL, policy TEXT NOT NULL,
            reason TEXT NOT NULL, PRIMARY KEY (edition, item))""",
        "CREATE INDEX shown_item ON shown (item)",
        """CREATE TABLE passed (
            edition INTEGER NOT NULL REFERENCES edition ON DELETE CASCADE, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,
            reason TEXT NOT NULL, PRIMARY KEY (edition, item))""",
        "CREATE INDEX passed_item ON passed (item)",
        """CREATE TABLE note (
            id {id}, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE, kind TEXT NOT NULL, quote TEXT NOT NULL, text TEXT NOT NULL,
            at {real} NOT NULL)""",
        "CREATE INDEX note_item ON note (item)",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE kept (
            name TEXT NOT NULL, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE, data {bytes} NOT NULL,
            PRIMARY KEY (name, item))""",
        "CREATE INDEX kept_item ON kept (item)",
    ),
    ("CREATE INDEX item_head ON item ({head})", "DROP INDEX item_taken"),
)
