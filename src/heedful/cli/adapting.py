"""What `heedful adapt` can be asked for, in groups: how it learns, from whom, and what may be left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heedful.cli.options import Flag
from heedful.errors import UsageError

Method = Literal["lora", "prefix", "bottleneck", "budget", "exits", "dropping"]
RATES = {"lora": 1e-3, "prefix": 3e-2, "bottleneck": 1e-3, "budget": 5e-4, "exits": 3e-3, "dropping": 0.0}


@dataclass(frozen=True)
class Learning:
    """How it learns.

    Arguments:
        method: lora (merged into the weights), prefix, bottleneck (both stay beside them), or budget: all weights, with
            budgets of heads drawn at random, and a plan for each of --budgets; exits: tokens leave early where the model is
            sure; or dropping, for classifiers: the tokens that are attended to most go on (nothing is trained for this one).
        size: LoRA's rank, a prefix's keys, a bottleneck's units.
        steps: of the optimiser.
        rate: its peak; 1e-3 if not given, 3e-2 for prefix, 5e-4 for budget, 3e-3 for exits.
        batch: sequences a step.
        length: tokens of a sequence; the model's context, 1,024 at most, if not given.
        data: the text to learn from, its held-out parts to be judged on; the run's own if not given.
        seed: of batches and new parameters.
    """

    method: Method = "lora"
    size: int = 8
    steps: int = 200
    rate: float | None = None
    batch: int = 8
    length: int | None = None
    data: str | None = None
    seed: int = 0

    @property
    def peak(self) -> float:
        """The rate, the method's own if none is given."""
        return self.rate or RATES[self.method]


@dataclass(frozen=True)
class Teaching:
    """From whom, and under which plan.

    Arguments:
        plan: learn under this plan; OUT/plan.json is the same for the adapted model.
        distil: learn what the model says without its plan (or --teacher says), in place of the text itself.
        teacher: another model of the same vocabulary, such as the run that this one was compressed from.
    """

    plan: Path | None = None
    distil: Flag = False
    teacher: str | None = None


@dataclass(frozen=True)
class Leaving:
    """What may be left out, and for how much.

    Arguments:
        budgets: shares of the heads, for the method budget.
        after: the layers after which tokens leave, for exits and dropping; a quarter, a half (and three quarters) if not given.
        epsilon: the most nats a token (a text) that exits or dropping may lose, by the 95% bound.
        slower: write exits or dropping even where the clock says that they take longer than the model did.
    """

    budgets: str = "0.75,0.5,0.25"
    after: str | None = None
    epsilon: float = 0.01
    slower: Flag = False

    def shares(self) -> list[float]:
        """The budgets as numbers."""
        try:
            return [float(part) for part in self.budgets.split(",")]
        except ValueError:
            raise UsageError(
                f"--budgets {self.budgets!r}: shares of the heads with commas between them, such as 0.75,0.5,0.25, would work"
            ) from None

    def layers(self) -> list[int] | None:
        """The layers as numbers."""
        try:
            return None if self.after is None else [int(part) for part in self.after.split(",")]
        except ValueError:
            raise UsageError(f"--after {self.after!r}: layers with commas between them, such as 2,4,6, would work") from None


@dataclass(frozen=True)
class Written:
    """Where it goes, and what is said.

    Arguments:
        out: the folder of the adapted model; of prefix and bottleneck of a Hugging Face model, of the adapter alone.
        overwrite: write into a folder that holds something.
        json: what was found as an object.
    """

    out: Path
    overwrite: Flag = False
    json: Flag = False
