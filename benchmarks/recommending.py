"""A recommender's speed and its quality beside RecTools: correctness first, then time, as ratios in the same run.

    python benchmarks/recommending.py --items 100000                          # a history ranked among 100,000 items
    python benchmarks/recommending.py --cuts 3 --config movielens     # moments that roll back, fitted anew, beside the baselines
    python benchmarks/recommending.py --beside PYTHON --data ml-latest-small --seeds 5    # PYTHON: of an environment with RecTools

RecTools (0.19, Apache-2.0) wants other versions of numpy than ours, so it runs in an environment of its own, on the same histories, and
its rankings are judged by the same code as ours. Both are trained on one thread with the same width, layers, heads, context and batch.
Ours reads every window of a history in an epoch and theirs the last one, so ours takes 42 steps an epoch of ml-latest-small and theirs 20:
--ours 8 (where the validation part of one seed gained little more) and --epochs 15 are 336 and 300 steps. Ours has its products in
bfloat16.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from heedful.cli.config import settled
from heedful.models.ranker.build import build_ranker
from heedful.models.ranker.ranker import Histories
from heedful.spec import TrainSpec
from heedful.spec.interactions import LogDataSpec
from heedful.spec.ranker import RankerSpec, VoteSpec
from heedful.spec.task import RunSpec
from heedful.tasks.recommend.baselines.table import fitted
from heedful.tasks.recommend.evaluation import TOP, Ours, Part, judge, learnt, margin
from heedful.tasks.recommend.loading import LoadedRanker
from heedful.tasks.recommend.preparing import prepared
from heedful.tasks.recommend.scorer import History
from heedful.train.loop import Trainer
from heedful.train.run import Run

THEIRS = """
import json, sys, time, torch, pandas as pd, numpy as np
torch.set_num_threads(1)
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from pytorch_lightning import Trainer, seed_everything
asked = json.load(open(sys.argv[1]))
frame = pd.DataFrame(asked["rows"], columns=[Columns.User, Columns.Item, Columns.Datetime])
frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="ms")
frame[Columns.Weight] = 1.0
seed_everything(asked["seed"], workers=True)
def trainer():
    return Trainer(max_epochs=asked["epochs"], accelerator="cpu", enable_progress_bar=False, enable_model_summary=False, logger=False,
                   enable_checkpointing=False)
model = SASRecModel(n_factors=asked["width"], n_blocks=asked["layers"], n_heads=asked["heads"], session_max_len=asked["context"],
                    loss="softmax", batch_size=asked["batch"], lr=1e-3, get_trainer_func=trainer, dataloader_num_workers=0)
started = time.perf_counter()
model.fit(Dataset.construct(frame))
seconds = time.perf_counter() - started
asked_for = pd.DataFrame(asked["histories"], columns=[Columns.User, Columns.Item, Columns.Datetime])
asked_for[Columns.Datetime] = pd.to_datetime(asked_for[Columns.Datetime], unit="ms")
asked_for[Columns.Weight] = 1.0
known = set(frame[Columns.Item])
found = model.recommend(asked_for[Columns.User].unique(), Dataset.construct(asked_for[asked_for[Columns.Item].isin(known)]), k=10,
                        filter_viewed=True, on_unsupported_targets="ignore")
json.dump({"seconds": seconds, "lists": {str(u): g[Columns.Item].tolist() for u, g in found.groupby(Columns.User)}}, open(sys.argv[2], "w"))
"""


def latency(items: int, length: int = 50, times: int = 30) -> None:
    """Milliseconds to rank one history among `items`, checked first against the scores of a batch."""
    for votes in (None, VoteSpec()):
        model = build_ranker(RankerSpec(vocabulary=items, width=64, layers=2, heads=2, votes=votes)).eval()
        with torch.inference_mode():
            catalogue, rows = model.items.catalogue(), torch.randint(items, (4, length))
            alone = torch.cat([model.scores(Histories(row[None]), catalogue) for row in rows])
            assert torch.allclose(alone, model.scores(Histories(rows), catalogue), atol=1e-4), "a history's scores depend on its batch"
            taken = []
            for _ in range(times):
                started = time.perf_counter()
                model.scores(Histories(rows[:1]), catalogue)[0].topk(TOP)
                taken.append(1e3 * (time.perf_counter() - started))
        name = "attention + votes" if votes else "attention"
        print(f"{name}: {length} items ranked among {items:,}: {min(taken):.2f} ms at best, {np.median(taken):.2f} ms median of {times}")


def ours(spec: RunSpec) -> tuple[Part, np.ndarray, float]:
    """Our model on the last item of each user: the part, NDCG@10 of each target, and seconds of fitting."""
    found = prepared(spec)
    trainer = Trainer(found.job)
    started = time.perf_counter()
    while not trainer.finished:
        trainer.step()
    seconds = time.perf_counter() - started
    loaded = LoadedRanker(Run(Path()), found.job.model.eval(), found.job.tokenizer, found.job.spec)
    part = Part(found.found, first_of_each(found.found), False)

    class Model:
        name = "ours"

        def scores(self, histories: list[History]) -> torch.Tensor:
            return loaded.scores(histories)

    return part, judge(Model(), part).ndcg, seconds


def rolling(config: str, cuts: int) -> None:
    """NDCG@10 on the last tenth of the log, of the log without its last tenth, and so on; every method fitted anew for each."""
    for cut in range(cuts):
        spec = settled("recommend", config, [f"data.until={1 - 0.1 * cut:g}", "train.threads=1"])
        found = prepared(spec)
        trainer = Trainer(found.job)
        while not trainer.finished:
            trainer.step()
        loaded = LoadedRanker(Run(Path()), found.job.model.eval(), found.job.tokenizer, found.job.spec)
        part = Part(found.found, found.found.targets("test"), found.feed.filtered is False)
        scorers = [Ours(loaded, loaded.known), *(each.scorer for each in fitted(learnt(found.found))[0])]
        told = ", ".join(f"{scorer.name} {judge(scorer, part).ndcg.mean():.4f}" for scorer in scorers)
        print(f"until {1 - 0.1 * cut:.0%} of the log, {len(part.places):,} targets: {told}", flush=True)


def first_of_each(found: object) -> np.ndarray:
    """The first test target of each user."""
    places = found.targets("test")
    return places[np.unique(found.owner[places], return_index=True)[1]]


def theirs(python: str, part: Part, spec: RunSpec) -> tuple[np.ndarray, float]:
    """RecTools' SASRec on the same histories, batches and epochs: NDCG@10 of each target, and seconds of fitting.

    Every user must be answered: one that it leaves out would count as a miss that ours is not asked for.
    """
    found, model = part.found, spec.model
    fit, histories = [], []
    for user, (start, end) in enumerate(zip(found.starts[:-1].tolist(), found.learnt.tolist(), strict=True)):
        fit += [(user, int(found.item[i]), int(found.time[i]) * 1000 + i - start) for i in range(start, end)]
    for place in part.places.tolist():
        user = int(found.owner[place])
        start = int(found.starts[user])
        histories += [(user, int(found.item[i]), int(found.time[i]) * 1000 + i - start) for i in range(start, place)]
    asked = {"rows": fit, "histories": histories, "seed": spec.train.seed, "epochs": int(spec.train.epochs or 1), "batch": spec.train.batch}
    asked |= {"width": model.width, "layers": model.layers, "heads": model.heads, "context": model.context}
    with tempfile.TemporaryDirectory() as folder:
        question, answer, program = (Path(folder) / name for name in ("asked.json", "answer.json", "theirs.py"))
        question.write_text(json.dumps(asked))
        program.write_text(THEIRS)
        subprocess.run([python, str(program), str(question), str(answer)], check=True, stdout=subprocess.DEVNULL)
        said = json.loads(answer.read_text())
    asked_for = {int(user) for user in part.found.owner[part.places]}
    left_out = len(asked_for - {int(user) for user in said["lists"]})
    if left_out:
        sys.exit(f"RecTools answers for {len(asked_for) - left_out} of {len(asked_for)} users: the question is not the same for both")
    gains = np.zeros(len(part.places))
    for i, place in enumerate(part.places.tolist()):
        listed = said["lists"].get(str(int(found.owner[place])), [])
        target = int(found.item[place])
        gains[i] = 1 / np.log2(listed.index(target) + 2) if target in listed else 0.0
    return gains, float(said["seconds"])


def beside(python: str, data: str, seeds: int, epochs: int, mine_epochs: int) -> None:
    """Both models, seed by seed: NDCG@10 on the same targets, and seconds of fitting."""
    model = RankerSpec(context=100, width=64, layers=2, heads=2, dropout=0.2)
    train = TrainSpec(
        epochs=mine_epochs, batch=32, order="shuffled", learning_rate=2e-3, warmup=30, weight_decay=0.01, threads=1, precision="bf16"
    )
    lines = []
    for seed in range(seeds):
        spec = RunSpec(
            task="recommend", data=LogDataSpec(data, seed=seed, split="leave-one-out"), model=model, train=replace(train, seed=seed)
        )
        part, mine, seconds = ours(spec)
        other, their_seconds = theirs(python, part, replace(spec, train=replace(spec.train, epochs=epochs)))
        lines.append((mine.mean(), other.mean(), seconds, their_seconds))
        users = part.found.owner[part.places]
        print(
            f"seed {seed}, {len(mine)} users: NDCG@10 ours {mine.mean():.4f} ± {margin(mine, users):.4f}, RecTools {other.mean():.4f}; "
            f"seconds {seconds:.1f}, {their_seconds:.1f}",
            flush=True,
        )
    table = np.array(lines)
    error = table.std(0, ddof=1) / np.sqrt(len(table)) if len(table) > 1 else table[0] * np.nan
    for name, column, spread in (("ours", table[:, 0], error[0]), ("RecTools", table[:, 1], error[1])):
        print(f"{name}: NDCG@10 {column.mean():.4f}, standard error over {seeds} seeds {spread:.4f}")
    print(f"fit time, ours over theirs: {table[:, 2].sum() / table[:, 3].sum():.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--config", default="default")
    parser.add_argument("--beside", metavar="PYTHON")
    parser.add_argument("--data", default="ml-latest-small")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15, help="of RecTools")
    parser.add_argument("--ours", type=int, default=8, help="epochs of ours")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.items:
        latency(asked.items)
    if asked.beside:
        beside(asked.beside, asked.data, asked.seeds, asked.epochs, asked.ours)
    if asked.cuts:
        rolling(asked.config, asked.cuts)
    if not (asked.items or asked.beside or asked.cuts):
        sys.exit("--items N, --cuts N or --beside PYTHON would work")


if __name__ == "__main__":
    main()
