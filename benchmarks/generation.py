"""What a token costs as a text grows: steps through each cache, from a short context and from a long one, in one run.

    python benchmarks/generation.py                              # 1,000 tokens from contexts of 100 and 1,000
    python benchmarks/generation.py --tokens 200 --window 128 --threads 1

First the check: with the cache the tokens are those without it. Then the time, the prompt's own reading counted in: with a
window each layer keeps the latest tokens only, so the ratio of the two contexts should stay near 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from heedful.models.build import build
from heedful.models.language_model import LanguageModel
from heedful.spec import DecoderSpec, ModelSpec, RecurrentSpec
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.stream import stream

SHORT, LONG = 100, 1000
MODELS: dict[str, ModelSpec] = {
    "transformer": DecoderSpec(vocabulary=1024, context=256, width=256, layers=6, heads=8, kv_heads=4),
    "recurrent": RecurrentSpec(vocabulary=1024, context=256),
}


def made(model: LanguageModel, prompt: Tensor, ending: Ending) -> list[int]:
    """The tokens after a prompt, always drawn alike."""
    return [each.token for each in stream(model, prompt, Sampling(), ending, torch.Generator().manual_seed(0))]


def check(model: LanguageModel) -> None:
    """With the cache and without it, the same tokens."""
    prompt = prompt_of(SHORT)
    cached, plain = (made(model, prompt, Ending(max_tokens=60, no_cache=no_cache)) for no_cache in (False, True))
    if cached != plain:
        first = first_difference(cached, plain)
        raise SystemExit(f"{type(model).__name__}: from token {first} on, other tokens with the cache than without it")


def first_difference(one: list[int], other: list[int]) -> int:
    """Where two lists part."""
    return next(i for i, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])


def prompt_of(length: int) -> Tensor:
    """Some tokens."""
    return torch.randint(1024, (length,), generator=torch.Generator().manual_seed(1))


def seconds(model: LanguageModel, tokens: int, window: int | None, rounds: int) -> tuple[float, float]:
    """The fastest of `rounds` from each context, taken in turns."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for i, length in enumerate((SHORT, LONG)):
            began = time.perf_counter()
            made(model, prompt_of(length), Ending(max_tokens=tokens, window=window or 10 * LONG))
            best[i] = min(best[i], time.perf_counter() - began)
    return best[0], best[1]


def rows(tokens: int, window: int, rounds: int) -> Iterator[str]:
    """The table."""
    yield f"{'model':12} {'cache':12} {f'from {SHORT}':>12} {f'from {LONG}':>12} {'ratio':>6}"
    for name, spec in MODELS.items():
        torch.manual_seed(0)
        model = build(spec).eval()
        check(model)
        for label, size in ((f"window {window}", window), ("everything", None)):
            short, long = seconds(model, tokens, size, rounds)
            paces = [f"{1e3 * each / tokens:9.2f} ms" for each in (short, long)]
            yield f"{name:12} {label:12} {paces[0]:>12} {paces[1]:>12} {long / short:6.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    for row in rows(asked.tokens, asked.window, asked.rounds):
        print(row, flush=True)


if __name__ == "__main__":
    main()
