"""Pages in Debian's chromium, without a network and without a window."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--virtual-time-budget=4000")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")


def run(page: Path, script: str, folder: Path, width: int = 1000) -> str:
    """What `script`, run at the end of the page in a frame of that width, returns, or the first error that the page met."""
    assert CHROMIUM is not None
    tried = f"<script>window.addEventListener('error', (event) => {{ window.broken ??= event.message; }});</script>{page.read_text()}"
    told = f"<script>parent.document.title = 'told:' + (window.broken ?? (() => {{ {script} }})()) + ':told';</script>"
    inner = html.escape(tried.replace("</body>", told + "</body>"))
    copy = folder / "tried.html"
    copy.write_text(
        f'<title></title><body style="margin:0"><iframe style="width:{width}px;height:900px;border:0" srcdoc="{inner}"></iframe>'
    )
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}/profile", "--dump-dom", copy.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"<title>told:(.*?):told</title>", shown, flags=re.DOTALL)
    assert found, f"the page did not get as far as its end: {shown[-400:]}"
    return html.unescape(found[1])
