"""What the tour trains and asks, every number of it; chosen so that two cores need about four minutes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from heedful.spec.attention import MechanismSpec
from heedful.spec.data import DataSpec
from heedful.spec.generation import Ending, Sampling
from heedful.spec.model import DecoderSpec, RecurrentSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec

GATES = ("squeeze_excitation", "positional_weighting", "layerwise_adaptive")


@dataclass(frozen=True)
class Plan:
    """The runs of the tour and what is asked of them.

    `gated` is the short training that every gate gets, once for each of `seeds`; `passage` is how many tokens of the
    test text are shown as maps, `windows` how many contexts of it distances are measured on, `timed` how many steps are
    timed to find the quickest. `share` is how much of its attention's operations the transformer is fitted to, `epsilon`
    what that may lose in nats a token, `texts` how many batches of each part that is measured on.
    """

    transformer: RunSpec
    recurrent: RunSpec
    gated: RunSpec
    seeds: tuple[int, ...]
    seed: int = 0
    gates: tuple[str, ...] = GATES
    prompt: str = "The import statement"
    sentence: str = "I love to read books."
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.8, top_p=0.95))
    ending: Ending = field(default_factory=lambda: Ending(max_tokens=100))
    passage: int = 80
    windows: int = 16
    timed: int = 12
    share: float = 0.5
    epsilon: float = 0.02
    texts: int = 6


def plan(seed: int) -> Plan:
    """The tour as `heedful demo` takes it."""
    data = DataSpec("python-reference", tokenizer="bpe", vocabulary=512)
    train = TrainSpec(steps=800, batch=8, optimiser="muon", learning_rate=3e-3, warmup=40, eval_every=200, checkpoint_every=400, seed=seed)
    transformer = DecoderSpec(context=128, width=128, layers=4, heads=4, kv_heads=2)
    recurrent = RecurrentSpec(context=64, embedding=128, hidden=192, attention=MechanismSpec("scaled_dot"))
    brief = replace(train, steps=600, batch=16, order="stream", optimiser="adamw", learning_rate=1e-2, warmup=20)
    small = DecoderSpec(context=64, width=64, layers=2, heads=4, kv_heads=2)
    short = replace(train, steps=300, batch=16, warmup=20, eval_every=300, eval_batch=128)
    return Plan(
        transformer=RunSpec(data=data, model=transformer, train=train),
        recurrent=RunSpec(data=data, model=recurrent, train=brief),
        gated=RunSpec(data=data, model=small, train=short),
        seeds=(seed, seed + 1),
        seed=seed,
    )
