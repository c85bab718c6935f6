"""Several processes at one study; Ctrl-C ends them all, and each leaves its trial to be tried again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import torch

from heedful.errors import HeedfulError
from heedful.train.tune.trials import Runner, Told, Tuning, work

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

PATIENCE = 60.0  # seconds that a worker gets to end its step


def together(tuning: Tuning, runner: Runner, workers: int, told_of: Told) -> None:
    """Run the trials in this process, or in as many as were asked for, threads shared out between them."""
    if workers == 1:
        work(tuning, runner, 0, told_of)
        return
    threads = max(1, torch.get_num_threads() // workers)
    context = multiprocessing.get_context("spawn")
    group = [context.Process(target=alone, args=(tuning, runner, worker, threads, told_of)) for worker in range(workers)]
    for process in group:
        process.start()
    try:
        for process in group:
            process.join()
    except BaseException:
        end(group)
        raise
    if all(process.exitcode for process in group):
        raise HeedfulError(f"no worker came to its end (exit codes {', '.join(str(process.exitcode) for process in group)})")


def alone(tuning: Tuning, runner: Runner, worker: int, threads: int, told_of: Told) -> None:
    """One worker, in a process group of its own: the terminal's Ctrl-C reaches the command, which passes it on once."""
    os.setpgrp()
    torch.set_num_threads(threads)

    def after(trial: FrozenTrial) -> None:
        told_of(trial)
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            sys.exit(1)

    try:
        work(tuning, runner, worker, after)
    except KeyboardInterrupt:
        sys.exit(130)
    except HeedfulError as error:
        print(f"heedful: worker {worker + 1}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def end(group: Sequence[BaseProcess]) -> None:
    """Ask every worker to stop, and wait for it."""
    for process in group:
        if process.is_alive() and process.pid:
            os.kill(process.pid, signal.SIGINT)
    for process in group:
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
