"""The long-context model that the manager is measured on: its recipe, and the file of it in the repository.

    export HEEDFUL_DATA=...            # holds wikitext-2
    heedful train generate --config long --threads 1 --out runs/long
    heedful train generate --config long-8k --set train.start=runs/long/last.safetensors --threads 1 --out runs/long-8k
    python benchmarks/long_model.py runs/long-8k --out examples/long-8k.safetensors

The file holds weights in bfloat16, the spec and the tokenizer; every command opens it as a run.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from heedful.models.checkpoint import load_checkpoint, save_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("examples/long-8k.safetensors"))
    asked = parser.parse_args()
    whole = load_checkpoint(asked.run / "best.safetensors")
    halves = {name: tensor.to(torch.bfloat16) for name, tensor in whole.tensors.items()}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(asked.out, replace(whole, tensors=halves))
    print(f"{asked.out}: {asked.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
