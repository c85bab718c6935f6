"""Runs of any task that have learnt for two steps."""

from __future__ import annotations

from pathlib import Path

from heedful.spec import RunSpec, yaml
from heedful.tasks.table import find_task
from heedful.tasks.task import Start

CONFIGS = Path(__file__).parents[2] / "configs"
BRIEFLY = ("train.eval_every=2", "train.checkpoint_every=2", "train.warmup=1", "train.steps=2", "train.epochs=null", "train.batch=4")
SMALL = {  # as small as answers come in milliseconds: what is asked here is their form
    "translate": ("model.context=16", "model.width=16", "model.layers=1", "model.heads=2", "model.mlp_width=16"),
    "summarise": ("model.context=16", "model.width=16", "model.layers=1", "model.heads=2", "model.mlp_width=16"),
    "match": ("model.width=16", "model.context=8", "model.heads=2", "model.lexical=8"),
    "caption": ("data.scenes=32", "model.stem=[8,8]", "model.width=16", "model.heads=2", "model.context=12"),
    "speech": (
        "data.limit=8",
        "model.stem=[4,4]",
        "model.encoder={kind: conformer, width: 16, layers: 1, heads: 2, kernel: 3, inner: 16}",
        "model.decoder={kind: transformer, layers: 1, heads: 2}",
        "model.context=8",
    ),
}


def learnt(task: str, folder: Path) -> Path:
    """A run of a task that has learnt for two steps."""
    spec = yaml.override(yaml.load(CONFIGS / f"{task}-default.yaml", RunSpec), (*BRIEFLY, *SMALL.get(task, ())))
    find_task(task).train(spec, Start(folder))
    return folder
