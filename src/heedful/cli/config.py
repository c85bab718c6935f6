"""Which run a command line means: a preset or a file, then what was set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heedful.errors import DataError, UsageError, unknown
from heedful.spec.task import RunSpec
from heedful.spec.yaml import load, override

DEFAULT = "default"


def settled(task: str, config: str | None, settings: Sequence[str]) -> RunSpec:
    """The spec of a new run of `task`."""
    spec = load(found(task, config or DEFAULT), RunSpec)
    if spec.task != task:
        raise UsageError(f"{config} is for the task {spec.task}, and {task} was asked for")
    return override(spec, settings)


def found(task: str, config: str) -> Path:
    """The file that was named, or the preset of that name (`generate-lstm`, or `lstm` for short)."""
    path = Path(config).expanduser()
    if path.is_file():
        return path
    known = presets()
    for name in (config, f"{task}-{config}"):
        if name in known:
            return known[name]
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        raise DataError(f"{config}: no such file: a YAML file, or one of the presets {', '.join(known)}, would work")
    raise unknown("preset", config, [name.removeprefix(f"{task}-") for name in known])


def presets() -> dict[str, Path]:
    """The presets by name: beside the package where it is installed, at the root of the repository in a checkout."""
    package = Path(__file__).parents[1]
    homes = (package / "configs", package.parents[1] / "configs")
    home = next((home for home in homes if home.is_dir()), homes[0])
    return {path.stem: path for path in sorted(home.glob("*.yaml"))}
