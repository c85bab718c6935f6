"""What a training among many came to, kept beside what it was trained and judged by: the same question is not answered twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heedful import atomic


def remembered(file: Path, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was kept of the same question; None where nothing was, or something else was asked."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(kept, dict) and all(kept.get(key) == value for key, value in said.items())
    return kept if same else None


def remember(file: Path, said: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Keep an answer, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(file, json.dumps({**said, **told}, ensure_ascii=False))
