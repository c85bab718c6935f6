"""The peer: a GPT of nanoGPT's architecture and loop, written in plain torch, on the characters of a text.

    python benchmarks/nanogpt.py                                    # Tiny Shakespeare under $HEEDFUL_DATA, nanoGPT's CPU setting
    python benchmarks/nanogpt.py --data book.txt --steps 200 --threads 2

Layer norms without bias, GELU, learned positions, tied embedding, AdamW with cosine decay (github.com/karpathy/nanoGPT,
model.py and train.py; Radford et al. 2019). It is kept as fast as plain torch allows: fused attention, fused AdamW, batches
drawn as one gather, no number read back during training.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Setting:
    """Sizes in units and tokens, rates a step; the defaults are nanoGPT's for a CPU."""

    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 64
    batch: int = 12
    steps: int = 2000
    warmup: int = 100
    peak: float = 1e-3
    floor: float = 1e-4
    seed: int = 1337

    def rate(self, step: int) -> float:
        """A straight climb to the peak, then half a cosine down to the floor."""
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.floor + 0.5 * (1 + math.cos(math.pi * share)) * (self.peak - self.floor)


class Block(nn.Module):
    def __init__(self, setting: Setting) -> None:
        super().__init__()
        m = setting.width
        self.heads = setting.heads
        self.before_attention, self.before_mlp = nn.LayerNorm(m, bias=False), nn.LayerNorm(m, bias=False)
        self.qkv, self.out = nn.Linear(m, 3 * m, bias=False), nn.Linear(m, m, bias=False)
        self.up, self.down = nn.Linear(m, 4 * m, bias=False), nn.Linear(4 * m, m, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.before_attention(x))
        return x + self.down(F.gelu(self.up(self.before_mlp(x))))

    def attend(self, x: Tensor) -> Tensor:
        b, t, m = x.shape
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.qkv(x).split(m, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(b, t, m))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, setting: Setting) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, setting.width), nn.Embedding(setting.context, setting.width)
        self.blocks = nn.Sequential(*(Block(setting) for _ in range(setting.layers)))
        self.norm = nn.LayerNorm(setting.width, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                into_stream = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * setting.layers) if into_stream else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.places.weight[: ids.shape[1]]
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)


def train(model: GPT, ids: Tensor, setting: Setting) -> float:
    """Train on windows at random places; returns tokens a second."""
    matrices, vectors = ([w for w in model.parameters() if (w.dim() >= 2) is big] for big in (True, False))
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=setting.peak, betas=(0.9, 0.99), fused=True)
    window = torch.arange(setting.context + 1)
    began = time.perf_counter()
    for step in range(setting.steps):
        for group in adam.param_groups:
            group["lr"] = setting.rate(step)
        batch = ids[torch.randint(len(ids) - setting.context, (setting.batch, 1)) + window]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad()
    return setting.steps * setting.batch * setting.context / (time.perf_counter() - began)


@torch.no_grad()
def whole_loss(model: GPT, ids: Tensor, context: int, seen: int = 0) -> float:
    """Nats a character over all of `ids` but the first, each predicted once, from `seen` characters before it or more.

    The windows lie side by side for `seen` 0, and overlap by `seen` otherwise; the text's first characters see what there is.
    """
    total, done = 0.0, 0
    while done < len(ids) - 1:
        start = max(0, done - seen)
        window = ids[start : start + context + 1]
        losses = F.cross_entropy(model(window[None, :-1])[0], window[1:], reduction="none")[done - start :]
        total, done = total + losses.double().sum().item(), done + len(losses)
    return total / done


def read(data: str) -> str:
    """The text of a file, or of the one .txt in a set under $HEEDFUL_DATA."""
    path = Path(data).expanduser()
    if not path.is_file():
        folder = Path(os.environ.get("HEEDFUL_DATA") or "~/.cache/heedful/data").expanduser() / data
        path = next(iter(sorted(folder.glob("*.txt"))), path)
    if not path.is_file():
        raise SystemExit(f"no text at {data!r}: a .txt file, or a set with one under $HEEDFUL_DATA, would work")
    return path.read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="nanoGPT's architecture and loop in plain torch, on characters")
    parser.add_argument("--data", default="tinyshakespeare", help="a text file, or a set under $HEEDFUL_DATA")
    parser.add_argument("--steps", type=int, default=Setting.steps)
    parser.add_argument("--seed", type=int, default=Setting.seed)
    parser.add_argument("--threads", type=int, help="torch's own number unless said")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    text, setting = read(asked.data), Setting(steps=asked.steps, seed=asked.seed)
    place = {letter: i for i, letter in enumerate(sorted(set(text)))}
    ids = torch.tensor([place[letter] for letter in text])
    cut = int(0.9 * len(ids))
    model = GPT(len(place), setting)
    pace = train(model, ids[:cut], setting)
    print(f"{setting.steps} steps, {sum(w.numel() for w in model.parameters()):,} parameters, {pace:,.0f} tokens/s")
    for seen in (0, setting.context // 2):
        loss = whole_loss(model, ids[cut:], setting.context, seen)
        print(f"validation, all {len(ids) - cut - 1:,} characters, at least {seen} seen before each: {loss:.4f} nats")


if __name__ == "__main__":
    main()
