"""Training speed: the decoder and the loop of Heedful against the same architecture in plain torch, turn by turn in one run.

    python benchmarks/training.py                   # nanoGPT's CPU setting on characters, both the same sizes and batches
    python benchmarks/training.py --threads 2 --turns 30

Both train on the same text. They take turns of some steps each, so that both meet the same noise; a turn's fastest time counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from nanogpt import GPT, Setting
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.data.sources import load_corpus
from heedful.data.text import tokenise
from heedful.models.build import build
from heedful.spec import AttentionSpec, DataSpec, DecoderSpec, MechanismSpec, RunSpec, TrainSpec
from heedful.train.job import Job
from heedful.train.loop import Trainer

STEPS = 5  # a turn


def ours(data: DataSpec, setting: Setting) -> tuple[Callable[[], None], Tensor, int]:
    """One optimiser step of Heedful's trainer, the training tokens, and the size of the vocabulary."""
    found = tokenise(load_corpus(data), data)
    positions = AttentionSpec(position=MechanismSpec("learned"))
    model = DecoderSpec(
        vocabulary=found.tokenizer.size, context=setting.context, width=setting.width, layers=setting.layers, heads=setting.heads,
        mlp="gelu", norm="layer", attention=positions,
    )  # fmt: skip
    train = TrainSpec(steps=setting.steps, batch=setting.batch, learning_rate=setting.peak, warmup=setting.warmup)
    spec = RunSpec(data=data, model=model, train=train)
    trainer = Trainer(Job(build(model), spec, found.tokenizer, found.ids))
    return trainer.step, found.ids["train"], found.tokenizer.size


def plain(ids: Tensor, vocabulary: int, setting: Setting) -> Callable[[], None]:
    """One optimiser step as benchmarks/nanogpt.py takes it."""
    model = GPT(vocabulary, setting)
    matrices, vectors = ([w for w in model.parameters() if (w.dim() >= 2) is big] for big in (True, False))
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=setting.peak, betas=(0.9, 0.99), fused=True)
    window, done = torch.arange(setting.context + 1), 0

    def step() -> None:
        nonlocal done
        for group in adam.param_groups:
            group["lr"] = setting.rate(done)
        batch = ids[torch.randint(len(ids) - setting.context, (setting.batch, 1)) + window]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad()
        done += 1

    return step


def fastest(steps: dict[str, Callable[[], None]], turns: int) -> dict[str, float]:
    """Seconds of each one's fastest step in a turn."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(turns + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            for _ in range(STEPS):
                step()
            best[name] = min(best[name], (time.perf_counter() - began) / STEPS)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="python-reference")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--turns", type=int, default=80)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    setting = replace(Setting(), steps=STEPS * (asked.turns + 1))
    step, ids, vocabulary = ours(DataSpec(asked.data), setting)
    best = fastest({"heedful": step, "plain torch": plain(ids, vocabulary, setting)}, asked.turns)
    for name, seconds in best.items():
        print(f"{name:12} {setting.batch * setting.context / seconds:10,.0f} tokens/s {1e3 * seconds:8.2f} ms a step")
    print(f"heedful / plain torch: {best['plain torch'] / best['heedful']:.3f}, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
