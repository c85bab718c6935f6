"""What a plan saves of a whole model: reading a long text at half of the attention, and one more token behind it at less of its cache.

    python benchmarks/managed.py --threads 1                          # a random model of 8 layers x 8 heads, width 256, at 8,192 tokens
    python benchmarks/managed.py --model RUN --plan plan.json --decode decode.json --threads 1

First the check: the planned model says what its simulation says, in a pass and token by token. Then the time, dense and planned in
turns; with one thread the processor's own, whatever else the machine does. Without a plan, heads 0 to 2 of each layer keep all of
their attention and the others a window, wide enough that the whole takes half of the attention's predicted milliseconds; for
decoding, three heads of each layer keep all and the others 64 keys, then one and 512.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import median

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.predict import predict_cost
from heedful.manage.apply.apply import changed
from heedful.manage.options.table import parse
from heedful.manage.plan import Plan
from heedful.manage.saving.load import load
from heedful.manage.seen import Seen
from heedful.manage.simulate import simulated
from heedful.manage.watch import sites, watched
from heedful.masks import Causal
from heedful.models.build import build
from heedful.models.decoder import Decoder
from heedful.spec import DecoderSpec

Choices = Sequence[Sequence[str]]
CHECKED, STEPS = 768, 24
CLOSE = 1e-4


def simple(full: int, window: int) -> Choices:
    """That many heads of every layer whole, the others a window and four sinks."""
    return [["full"] * full + [f"window({window},4)"] * (8 - full)] * 8


def half(length: int, full: int = 3) -> Choices:
    """The widest windows with which a layer takes no more than half of the attention's predicted milliseconds."""
    whole = milliseconds("full", 8, length)
    fitting = [
        w
        for w in range(64, length, 64)
        if milliseconds("full", full, length) + milliseconds(f"window({w},4)", 8 - full, length) <= whole / 2
    ]
    return simple(full, max(fitting, default=64))


def milliseconds(name: str, heads: int, length: int) -> float:
    """The predicted time of some heads of one option."""
    mask = parse(name).mask()
    rule = Causal() if mask is None else Causal() & mask
    return predict_cost(q=length, heads=heads, d=32, mask=rule).milliseconds or 0.0


def check(model: Decoder, choices: Choices, ids: Int[Tensor, "1 n"], prefill: int) -> None:
    """Applied as simulated."""
    chosen = {(site, head): parse(name) for site, row in enumerate(choices) for head, name in enumerate(row)}
    with simulated(model, chosen):
        whole = model(ids).logits
    with simulated(model, chosen, prefill=prefill):
        steps = model(ids).logits
    with changed(model, choices, 0):
        found = model(ids).logits
        read = decoded(model, ids, prefill)
    for name, one, other in (("a pass", found, whole), ("steps", read, steps)):
        apart = float((one - other).abs().max())
        if apart > CLOSE * float(other.abs().max()):
            raise SystemExit(f"{name}: applied and simulated are {apart:g} apart")


def decoded(model: Decoder, ids: Int[Tensor, "1 n"], prefill: int) -> Float[Tensor, "1 n v"]:
    """Logits of a prompt, then token by token."""
    cache = model.new_cache()
    parts = [model(ids[:, :prefill], cache=cache).logits]
    parts += [model(ids[:, at : at + 1], cache=cache).logits for at in range(prefill, ids.shape[1])]
    return torch.cat(parts, dim=1)


def now() -> float:
    """The processor's seconds where one thread works, the clock's otherwise."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds(work: Callable[[], object]) -> float:
    began = now()
    work()
    return now() - began


def core(model: Decoder, ids: Int[Tensor, "1 n"]) -> float:
    """The seconds that the dense model's attention takes of a pass, projections and positions left out."""
    spent = 0.0

    def timed(seen: Seen) -> Tensor:
        nonlocal spent
        began = now()
        out: Tensor = seen.attend()
        spent += now() - began
        return out

    with watched(model, timed):
        model(ids)
    return spent


def reading(model: Decoder, choices: Choices, ids: Int[Tensor, "1 n"], rounds: int) -> str:
    """Prefill, dense and planned in turns."""
    dense, planned, cores = [], [], []
    for _ in range(rounds):
        dense.append(seconds(lambda: model(ids)))
        cores.append(core(model, ids))
        with changed(model, choices):
            planned.append(seconds(lambda: model(ids)))
    share = min(min(cores) / min(dense), 1.0)
    ratio, bound = min(dense) / min(planned), 1 / (1 - share / 2)
    return (
        f"prefill of {ids.shape[1]:,}: dense {min(dense):.2f} s, planned {min(planned):.2f} s, {ratio:.2f} times as fast; "
        f"attention is a = {share:.0%} of dense, half of it allows {bound:.2f}: {ratio / bound:.0%} of that reached"
    )


def stepping(model: Decoder, choices: Choices | None, ids: Int[Tensor, "1 n"]) -> tuple[float, int]:
    """Milliseconds of a token behind a text, and the bytes of the keys and values that are held."""
    with nullcontext() if choices is None else changed(model, choices):
        cache, length = model.new_cache(), ids.shape[1] - STEPS
        model(ids[:, :length], cache=cache)
        held = sum(held_by(block.keys) for block in cache.blocks)
        taken = [seconds(lambda at=at: model(ids[:, at : at + 1], cache=cache)) for at in range(length, ids.shape[1])]
    return 1e3 * median(taken), held


def held_by(keys: object) -> int:
    """The bytes of one layer's keys and values, room for later ones left out."""
    from heedful.layers.cache.full import KVCache
    from heedful.manage.apply.cache import RaggedCache

    if isinstance(keys, RaggedCache):
        return keys.bytes
    assert isinstance(keys, KVCache)
    k, v = keys._k, keys._v
    assert k is not None
    assert v is not None
    return keys.length * sum(x.shape[0] * x.shape[1] * x.shape[3] * x.element_size() for x in (k, v))


def decoding(model: Decoder, choices: Choices, ids: Int[Tensor, "1 n"], rounds: int) -> str:
    """A token behind a long text, dense and planned in turns."""
    both = [(stepping(model, None, ids), stepping(model, choices, ids)) for _ in range(rounds)]
    dense, planned = (min(row[i][0] for row in both) for i in (0, 1))
    whole, kept = both[0][0][1], both[0][1][1]
    return (
        f"decode behind {ids.shape[1] - STEPS:,}: dense {dense:.2f} ms a token, planned {planned:.2f} ms, "
        f"{dense / planned:.2f} times as fast with {kept / 2**20:.1f} of {whole / 2**20:.1f} MiB, {kept / whole:.0%}"
    )


def choices_of(path: Path | None, model: nn.Module) -> Choices | None:
    """A plan's, if there is one."""
    if path is None:
        return None
    plan = Plan.load(path)
    plan.refuse(model)
    return plan.choices


def opened(path: Path | None, length: int) -> Decoder:
    """The model of a run, or a random one."""
    torch.manual_seed(0)
    model = build(DecoderSpec(vocabulary=1024, context=length, width=256, layers=8, heads=8)).eval() if path is None else load(path)
    assert isinstance(model, Decoder)
    return model


@torch.inference_mode()
def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run; a random model of 8 layers x 8 heads if not given")
    parser.add_argument("--plan", type=Path, help="a plan for phase prefill")
    parser.add_argument("--decode", type=Path, help="a plan for phase decode")
    parser.add_argument("--length", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--only", choices=["prefill", "decode"])
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    model = opened(asked.model, asked.length)
    ids = torch.randint(0, model.vocabulary, (1, asked.length + STEPS), generator=torch.Generator().manual_seed(1))
    print(f"{len(sites(model))} layers x {sites(model)[0].heads} heads, {torch.get_num_threads()} threads")
    if asked.only != "decode":
        chosen = choices_of(asked.plan, model) or half(asked.length)
        check(model, chosen, ids[:, :CHECKED], CHECKED - 32)
        print(f"first layer: {', '.join(chosen[0])}\n{reading(model, chosen, ids[:, : asked.length], asked.rounds)}", flush=True)
    if asked.only != "prefill":
        given = choices_of(asked.decode, model)
        for chosen in [given] if given is not None else [simple(3, 64), simple(1, 512)]:
            check(model, chosen, ids[:, :CHECKED], CHECKED - 32)
            print(f"first layer: {', '.join(chosen[0])}\n{decoding(model, chosen, ids, asked.rounds)}", flush=True)


if __name__ == "__main__":
    main()
