"""Trains the toy model into a folder and kills itself, without warning, where it is told: killed.py RUN POINT SPEC"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from heedful import atomic
from heedful.spec import TrainSpec
from heedful.spec.yaml import parse
from heedful.train.loop import Trainer
from heedful.train.progress import Silent
from heedful.train.run import Run
from train.toy import job

STEP = 13


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Reaper(Silent):
    def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step >= STEP:
            die()


def main(folder: str, point: str, text: str) -> None:
    todo = job(parse(text, TrainSpec))
    run = Run.create(Path(folder), todo.spec, todo.tokenizer)
    trainer = Trainer(todo, run, Reaper() if point == "step" else None)
    if point == "between":
        write = atomic.write
        atomic.write = lambda path, data: die() if trainer.standing.step > STEP and path == run.last_path else write(path, data)
    if point == "writing":
        sync = os.fsync
        os.fsync = lambda handle: die() if trainer.standing.step > STEP else sync(handle)
    trainer.fit()


if __name__ == "__main__":
    main(*sys.argv[1:])
