"""`heedful apply`, put together: a model, a plan, and a folder with the planned model that opens like the one it came from."""

from __future__ import annotations

from pathlib import Path

from heedful.data.tokens.table import tokenizer_from
from heedful.errors import UsageError
from heedful.manage.apply.apply import apply
from heedful.manage.plan import Plan
from heedful.manage.saving.checkpoints import PLAN, planned, restore
from heedful.manage.saving.folders import apply_to_folder
from heedful.manage.saving.load import anything
from heedful.models.checkpoint import save_checkpoint
from heedful.models.pretrained import is_pretrained
from heedful.train.run import Run


def apply_to(target: str, plan: Plan, out: Path, overwrite: bool = False) -> None:
    """Write the planned model of a run, or of a Hugging Face model, into the folder `out`.

    Errors: `UsageError` for a plan of another model and for a folder in use, `Unsupported` for models whose heads cannot be
    taken apart; nothing is written then.
    """
    path = Path(target).expanduser()
    if path.is_file() or (path.is_dir() and not is_pretrained(path)):
        apply_to_run(path, plan, out, overwrite)
    else:
        apply_to_folder(target, plan, out, overwrite)


def apply_to_run(path: Path, plan: Plan, out: Path, overwrite: bool) -> None:
    """A run's best checkpoint, or the one that is named."""
    if not overwrite:
        Run(out).make_room(overwrite=False)
    file = path if path.is_file() else Run.open(path).checkpoint_path
    model, checkpoint = restore(file, anything)
    if PLAN in checkpoint.notes:
        raise UsageError(f"{path} has a plan already: the run it was made from would work")
    apply(model.eval(), plan)
    made = Run.create(out, checkpoint.spec, tokenizer_from(checkpoint.tokenizer, str(file)), overwrite)
    save_checkpoint(made.best_path, planned(checkpoint, model, plan))
    plan.save(out / "plan.json")
