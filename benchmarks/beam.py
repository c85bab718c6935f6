"""Beam search beside Hugging Face's `generate`: the same weights, the same batch and beams, one thread, the same run.

    python benchmarks/beam.py                        # 3 + 3 layers, 256 wide, a vocabulary of 5,000; 16 sources, 5 beams
    python benchmarks/beam.py --run runs/en-de       # sources of a run's own test part, its weights where its shape allows

Both search Pegasus's shape (norms before each branch, GELU, sinusoidal places). The texts found are compared first: where any differs,
nothing is timed but by how much its log-probability does. Then each is timed in turn, the least of several rounds counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from heedful.models.seq2seq.search import beam_search
from heedful.models.seq2seq.transformer import Transformer
from heedful.spec import AttentionSpec, MechanismSpec
from heedful.spec.search import Search
from heedful.spec.seq2seq import Seq2SeqSpec
from heedful.tasks.translate.loading import load_seq2seq
from heedful.tasks.translate.writing import source_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from models.seq2seq.pegasus import as_pegasus

SOFT = 1e-4  # nats by which two float32 sums of the same text may differ


def made(width: int, layers: int, vocabulary: int) -> Transformer:
    """A model with weights drawn large enough for its choices to differ."""
    torch.manual_seed(0)
    places = AttentionSpec(position=MechanismSpec("sinusoidal"))
    spec = Seq2SeqSpec(vocabulary=vocabulary, context=128, width=width, layers=layers, heads=4, mlp_width=4 * width, attention=places)
    model = Transformer(spec).eval()
    for weight in model.parameters():
        weight.data.add_(0.02 * torch.randn_like(weight))
    return model


def sources(model: Transformer, count: int) -> tuple[Tensor, Tensor]:
    """Random sources of 8 to 24 tokens."""
    lengths = torch.randint(8, 25, (count,))
    ids = torch.randint(model.vocabulary, (count, int(lengths.max())))
    inside = torch.arange(ids.shape[1]) < lengths[:, None] - 1
    return torch.where(inside, ids, model.mark), lengths


def of_run(path: Path, count: int) -> tuple[Transformer, Tensor, Tensor]:
    """A run's model and the first sources of its test part."""
    loaded = load_seq2seq(path)
    assert isinstance(loaded.model, Transformer)
    rows = [source_of(loaded, text)[0] for text in loaded.corpus().part("test").sources[:count]]
    lengths = torch.tensor([len(row) for row in rows])
    return loaded.model, torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=loaded.model.mark), lengths


def least(works: tuple[Callable[[], object], ...], rounds: int) -> list[float]:
    """The least seconds of each over several rounds, in turn, so that a busy machine is busy for all."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, seconds in zip(works, found, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in found]


def compare(model: Transformer, ids: Tensor, lengths: Tensor, asked: argparse.Namespace) -> None:
    """The texts, then the times."""
    theirs, real = as_pegasus(model), (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    mark = model.mark

    def ours_finds() -> list[list[int]]:
        return [found[0].ids for found in beam_search(model, ids, lengths, asked.tokens, Search(beams=asked.beams))]

    def theirs_finds() -> list[list[int]]:
        knobs = {"num_beams": asked.beams, "max_new_tokens": asked.tokens, "do_sample": False, "early_stopping": False}
        with torch.inference_mode():
            texts = theirs.generate(input_ids=ids, attention_mask=real, **knobs)
        return [row[1 : row.index(mark, 1)] if mark in row[1:] else row[1:] for row in texts.tolist()]

    ours, others = ours_finds(), theirs_finds()
    same = sum(a == b for a, b in zip(ours, others, strict=True))
    print(f"{same} of {len(ours)} texts are the same, {sum(map(len, ours)) / len(ours):.1f} tokens each on average")
    for a, b in zip(ours, others, strict=True):
        if a != b:
            print(f"differ: ours {a[:12]} theirs {b[:12]}")
    if same < len(ours) and not asked.anyway:
        sys.exit("no times where texts differ; --anyway times them all the same")
    times = least((ours_finds, theirs_finds), asked.rounds)
    print(f"ours {times[0] * 1000:,.0f} ms, Hugging Face {times[1] * 1000:,.0f} ms: {times[1] / times[0]:.2f} times as quick")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    for name, usual in (("width", 256), ("layers", 3), ("vocabulary", 5000), ("batch", 16), ("beams", 5), ("tokens", 32), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--anyway", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.run:
        compare(*of_run(asked.run, asked.batch), asked)
    else:
        model = made(asked.width, asked.layers, asked.vocabulary)
        compare(model, *sources(model, asked.batch), asked)


if __name__ == "__main__":
    main()
