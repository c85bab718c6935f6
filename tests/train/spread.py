"""Trains the toy model in as many processes as the launcher starts: spread.py RUN SPEC [--resume]"""

from __future__ import annotations

import sys
from pathlib import Path

from heedful.spec import TrainSpec
from heedful.spec.yaml import parse
from heedful.train.loop import Trainer
from heedful.train.run import Run
from train.toy import job


def main(folder: str, text: str, *flags: str) -> None:
    todo = job(parse(text, TrainSpec))
    todo.model.drop.p = 0.0  # type: ignore[union-attr]
    path = Path(folder)
    Trainer(todo, Run(path), resume="--resume" in flags).fit()


if __name__ == "__main__":
    main(*sys.argv[1:])
