"""Hugging Face folders with a plan beside the weights: any program opens them as the model they were, `heedful.load` under the plan."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from heedful import atomic
from heedful.errors import HeedfulError, UsageError
from heedful.manage.apply.apply import changed
from heedful.manage.plan import Plan
from heedful.models.pretrained import open_pretrained

PLAN_FILE: Final = "plan.json"
NOTE_FILE: Final = "HEEDFUL.md"
NOTE: Final = """# A model with a plan

`plan.json` says for each attention head how much of its attention it keeps: {options}. It was made for {phase} at {length:,} tokens.

    import heedful
    model = heedful.load("{folder}")   # under the plan; generate() uses the plan's caches
    # AutoModelForCausalLM.from_pretrained("{folder}") opens the same weights without it

Weights of dropped heads are in the files, and cut out when the model is loaded under the plan.
"""


def apply_to_folder(target: str, plan: Plan, out: Path, overwrite: bool = False) -> None:
    """Write a Hugging Face model, its tokenizer and a plan for it into the folder `out`, whole or not at all.

    Errors: `UsageError` for a plan of another model and for a folder in use, `Unsupported` for what a plan cannot be applied to.
    """
    refuse_folder(out, overwrite)
    found = open_pretrained(target)
    plan.refuse(found.model)
    with changed(found.model, plan.choices):
        pass  # whatever cannot be applied says so before anything is written
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        found.model.save_pretrained(made)
        if found.tokenizer is not None:
            found.tokenizer.save_pretrained(made)
        plan.save(made / PLAN_FILE)
        atomic.write(made / NOTE_FILE, note(plan, out))
        made.chmod(0o755)
        replace(made, out)
    except OSError as error:
        raise HeedfulError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def note(plan: Plan, out: Path) -> str:
    """What a reader of the folder should know."""
    options = ", ".join(f"{count} {name}" for name, count in plan.options.items())
    return NOTE.format(options=options, phase=plan.budget.phase, length=plan.length, folder=out.name)


def refuse_folder(out: Path, overwrite: bool) -> None:
    """A folder in use is not written to."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not overwrite):
        raise UsageError(f"{out}: holds something already: a new folder, or --overwrite, would work")
    if overwrite and out.is_dir() and any(out.iterdir()) and not (out / "config.json").is_file():
        raise UsageError(f"{out}: a folder with other files in it; a new or empty folder would work")


def replace(made: Path, out: Path) -> None:
    """A whole folder in the place of another."""
    if not out.is_dir():
        return os.replace(made, out)
    old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.old."))
    os.replace(out, old / out.name)
    os.replace(made, out)
    return shutil.rmtree(old)
