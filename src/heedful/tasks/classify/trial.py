"""One training among many: run by the spec of a run, judged, remembered by its answers, and not run again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.spec import yaml
from heedful.spec.data import DataSpec
from heedful.spec.task import RunSpec
from heedful.tasks.classify.baseline import Baseline
from heedful.tasks.classify.evaluation import told
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.classify.preparing import prepared
from heedful.tasks.remembered import remember, remembered
from heedful.train.loop import Trainer
from heedful.train.progress import Report
from heedful.train.run import Run


@dataclass(frozen=True)
class Answers:
    """The true class of every text of a part, and what was answered."""

    truth: tuple[str, ...]
    found: tuple[str, ...]
    seconds: float = 0.0

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Answers:
        """From what `record` made."""
        return Answers(tuple(kept["truth"]), tuple(kept["found"]), float(kept["seconds"]))

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {"truth": self.truth, "found": self.found, "seconds": self.seconds}

    def right(self) -> list[float]:
        """1 where the answer is right, 0 elsewhere."""
        return [float(one == other) for one, other in zip(self.found, self.truth, strict=True)]


def joined(parts: Sequence[Answers]) -> Answers:
    """Answers on several parts as one, such as all folds of a seed."""
    return Answers(sum((p.truth for p in parts), ()), sum((p.found for p in parts), ()), sum(p.seconds for p in parts))


def trial(home: Path, name: str, spec: RunSpec, part: str, report: Report) -> Answers:
    """Train by `spec` under `home`, and answer a part of its texts; what was answered before is read again.

    A training that was stopped goes on where it stood.
    """
    file, folder, said = home / f"{name}.json", home / name, {"spec": yaml.dump(spec), "part": part}
    known = remembered(file, said)
    if known is not None:
        return Answers.of(known)
    seconds = learnt(folder, spec, report)
    loaded = load_classifier(folder)
    texts = loaded.corpus().part(part)
    answers = Answers(texts.labels, tuple(told(loaded, texts)), seconds)
    remember(file, said, answers.record())
    shutil.rmtree(folder)
    return answers


def learnt(folder: Path, spec: RunSpec, report: Report) -> float:
    """Train into the folder, or go on with what stands there; the seconds it took."""
    begun = Run(folder).last_path.is_file()
    if begun:
        run = Run.open(folder)
        found = prepared(run.spec, run.tokenizer)
    else:
        found = prepared(spec)
        run = Run.create(folder, found.job.spec, found.job.tokenizer, overwrite=True)
    return Trainer(found.job, run, report, resume=begun).fit().seconds


def baseline_trial(home: Path, name: str, spec: DataSpec, part: str) -> Answers:
    """The same of the linear baseline, which needs no validation texts and learns from them too."""
    file, said = home / f"{name}.json", {"spec": yaml.dump(spec), "part": part}
    known = remembered(file, said)
    if known is not None:
        return Answers.of(known)
    corpus = load_labelled(spec)
    texts: Texts = corpus.part(part)
    answers = Answers(texts.labels, tuple(Baseline(together(corpus)).predict(texts.texts)))
    remember(file, said, answers.record())
    return answers


def together(corpus: LabelledCorpus) -> Texts:
    """The training and the validation texts."""
    first, second = corpus.part("train"), corpus.part("validation")
    return Texts(first.texts + second.texts, first.labels + second.labels)
