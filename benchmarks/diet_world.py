"""Policies in a world of simulated readers: python benchmarks/diet_world.py [--readers 1000] [--days 60] [--seeds 5] [--keep DIR] [--fit]

A simulator: nothing that is printed here is a result about people. The parameters (`heedful/diet/world/parameters.py`) were fixed
before policies were compared; every policy has the same features, the same prior (fitted on pilot readers who were shown items by
chance), the same feedback and the same minutes, which all fill; the knobs of all are chosen on readers of other worlds. What is counted
is hidden from the policies: minutes well spent, a minute of the budget. `--fit` prints what real logs say of the parameters.
`--research` adds REINFORCE top-K, actor-critic and CQL: attention networks, practised on held-out readers for as many seconds as are
printed (the first two on editions of their own, CQL on a log of chance's), that go on learning with the readers they are compared on.
With `--keep DIR` knobs and finished lives are kept there, and a run that was stopped (or asks for more seeds) goes on from them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from heedful.diet.edition.batched import batched
from heedful.diet.edition.exact import exact
from heedful.diet.edition.greedy import greedy, told
from heedful.diet.edition.ledger import Ledger
from heedful.diet.edition.menu import Appetite, Bound, Candidate, Diet
from heedful.diet.policy.actor_critic import ActorCritic
from heedful.diet.policy.beliefs import Beliefs, learnt
from heedful.diet.policy.calibrated import Calibrated
from heedful.diet.policy.chance import Chance
from heedful.diet.policy.cql import CQL
from heedful.diet.policy.epsilon import Epsilon
from heedful.diet.policy.greedily import Greedily
from heedful.diet.policy.mmr import MMR
from heedful.diet.policy.policy import Feedback, Policy
from heedful.diet.policy.prior import Prior, fitted
from heedful.diet.policy.reinforce import Reinforce
from heedful.diet.policy.sampled import Sampled
from heedful.diet.policy.topk import TopK
from heedful.diet.reward import Reward
from heedful.diet.world.fit.table import table as fits
from heedful.diet.world.lives import Day, lived
from heedful.diet.world.looks import names, offer
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.world import World

MINUTES = 30.0
RESEARCH = {"REINFORCE top-K": Reinforce, "actor-critic": ActorCritic, "CQL": CQL}
HELD_OUT = (101, 102, 103, 104)  # worlds that pilots and knobs come from; the comparison has worlds 0, 1, ...
Make = Callable[[int], Policy]  # readers -> policy
Layers = tuple[tuple[float, float], ...]
LAYERS: tuple[Layers, ...] = ((), ((0.1, 0.4),), ((0.2, 0.2),), ((0.2, 0.4),), ((0.1, 0.4), (0.1, 0.15)), ((0.1, 0.8), (0.1, 0.2)))


def wanted(layers: Layers, redundancy: float, bounded: bool = False) -> Diet:
    """Coverage of topics and the cost of telling a story again; the minutes are spent in any case (`worth`), as by the baselines.

    Each layer is a weight and a target; two of them make a coverage that bends at more places.
    `bounded` adds floors for every viewpoint and a ceiling on sources.
    """
    floors = [Bound("view", str(view), least=0.1) for view in range(Parameters().views)]
    bounds = (Bound("source", most=0.3), *floors) if bounded else ()
    appetites = tuple(Appetite("topic", weight, target) for weight, target in layers)
    return Diet(MINUTES, worth=-5.0, appetites=appetites, bounds=bounds, redundancy=redundancy)


@dataclass(frozen=True, eq=False)
class Life:
    """Sums over the days of each reader, and counts over editions."""

    worth: np.ndarray
    days: np.ndarray
    read: float
    planned: float
    liked: float
    over: int
    unfed: int
    back: float

    @property
    def editions(self) -> int:
        return int(self.days.sum())

    @property
    def rate(self) -> float:
        return float(self.worth.sum() / self.days.sum() / MINUTES)


def life(make: Make, world: World, days: int, reward: Reward | None = None, seed: int = 0) -> Life:
    """A policy with the readers of a world."""
    policy = make(world.count)
    rows = [counted(day, world.p) for day in lived(world, policy, days, reward, seed=seed)]
    worth, here, read, planned, session, over, unfed = (sum(column) for column in zip(*rows, strict=True))
    total = float(here.sum())
    return Life(worth, here, read / total, planned / total, session / total, int(over), int(unfed), total / world.count / days)


def counted(day: Day, p: Parameters) -> tuple[np.ndarray, np.ndarray, float, float, float, int, int]:
    """What is kept of a day."""
    picks, offered = day.feedback.picks, day.feedback.offer
    minutes, view = offered.times(picks), np.take_along_axis(offered.facets["view"], np.maximum(picks, 0), 1)
    shares = np.stack([(minutes * (view == v)).sum(1) for v in range(p.views)])
    unfed = int(((shares.min(0) < 0.1 * MINUTES - 1e-6) & (day.here > 0)).sum())
    over = int((day.planned > MINUTES + 1e-6).sum())
    return day.worth, day.here, float(day.read.sum()), float(day.planned.sum()), float(day.session.sum()), over, unfed


def pilot(reward: Reward, by_minute: bool) -> Prior:
    """The prior that readers of other worlds leave behind, who were shown items by chance."""
    diet = Diet(MINUTES, worth=-5.0)
    fed = [[day.feedback for day in lived(World(75, seed=seed), Chance(diet), 15, reward)] for seed in HELD_OUT]
    longest = max(one.picks.shape[1] for world in fed for one in world)
    both = [joined(world, longest, by_minute) for world in fed]
    return fitted(np.concatenate([features for features, _ in both]), np.concatenate([targets for _, targets in both]))


def joined(days: list[Feedback], longest: int, by_minute: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rows of all days of each reader."""
    rows = [learnt(one, by_minute) for one in days]
    wide = [longest - targets.shape[1] for _, targets in rows]
    features = [np.pad(found, ((0, 0), (0, more), (0, 0))) for (found, _), more in zip(rows, wide, strict=True)]
    return np.concatenate(features, 1), np.concatenate([np.pad(t, ((0, 0), (0, m))) for (_, t), m in zip(rows, wide, strict=True)], 1)


@dataclass(frozen=True)
class Shelf:
    """What is kept of a run: knobs and lives, by name; nothing where there is no folder."""

    folder: Path | None

    def knob(self, name: str) -> str | None:
        """The knob that was chosen."""
        return self.knobs().get(name)

    def knobs(self) -> dict[str, str]:
        path = self.folder / "knobs.json" if self.folder else None
        return json.loads(path.read_text()) if path and path.exists() else {}

    def choose(self, name: str, knob: str) -> None:
        if self.folder:
            (self.folder / "knobs.json").write_text(json.dumps({**self.knobs(), name: knob}, indent=1))

    def prior(self, name: str, reward: Reward, by_minute: bool) -> Prior:
        """What the pilot readers of a reward left behind."""
        path = self.folder / f"prior-{name}.json" if self.folder else None
        if path and path.exists():
            kept = json.loads(path.read_text())
            return Prior(np.array(kept["mean"]), np.array(kept["spread"]), kept["noise"])
        found = pilot(reward, by_minute)
        if path:
            path.write_text(json.dumps({"mean": found.mean.tolist(), "spread": found.spread.tolist(), "noise": found.noise}))
        return found

    def life(self, name: str, make: Callable[[], Life]) -> Life:
        """A life that is there, or made now."""
        if not self.folder:
            return make()
        path = self.folder / f"{name.replace(' ', '-').replace(',', '')}.json"
        if not path.exists():
            path.write_text(json.dumps({key: np.asarray(value).tolist() for key, value in asdict(make()).items()}))
        kept = json.loads(path.read_text())
        return Life(**{key: np.array(value) if isinstance(value, list) else value for key, value in kept.items()})


def best(name: str, makes: dict[str, Make], asked: argparse.Namespace) -> Make:
    """The knob that serves the held-out readers best, from the shelf where it was chosen before."""
    chosen = asked.shelf.knob(name)
    if chosen is None:
        worlds = HELD_OUT[:2]
        found = {knob: np.mean([life(make, World(asked.tune, seed=seed), 30).rate for seed in worlds]) for knob, make in makes.items()}
        chosen = max(found, key=lambda knob: found[knob])
        asked.shelf.choose(name, chosen)
        print(f"| {name} | {len(makes)} | {chosen} | {found[chosen]:.4f} | {min(found.values()):.4f} |", flush=True)
    return makes[chosen]


def ranked(prior: Prior, asked: argparse.Namespace) -> dict[str, Make]:
    """The list-makers, their knobs chosen: as their papers have them (by value), and made stronger (by value a minute)."""
    makes: dict[str, Make] = {}
    for how, a_minute in (("", False), (" a minute", True)):
        makes[f"top-k{how}"] = lambda r, a=a_minute: TopK(Beliefs(r, prior), a)
        knobs = (0.1, 0.3, 0.5, 0.7, 0.9)
        mmr = {f"relevance {k}": lambda r, k=k, a=a_minute: MMR(Beliefs(r, prior), k, a) for k in knobs}
        steck = {f"weight {k}": lambda r, k=k, a=a_minute: Calibrated(Beliefs(r, prior), Parameters().topics, k, a) for k in knobs}
        makes[f"MMR{how}"] = best(f"MMR{how}", mmr, asked)
        makes[f"calibrated{how}"] = best(f"calibrated{how}", steck, asked)
    return makes


def covering(layers: Layers, redundancy: float) -> str:
    """A knob's name."""
    return f"coverage {' and '.join(f'{weight} to {target:.0%}' for weight, target in layers) or 'none'}, story {redundancy}"


def allocated(prior: Prior, asked: argparse.Namespace) -> tuple[dict[str, Make], Diet]:
    """Policies through the allocator: coverage is chosen first, with what is expected, then how boldly it is explored."""
    diets = {covering(layers, red): wanted(layers, red) for layers in LAYERS for red in (0.5, 2.0)}
    made = {name: lambda r, d=diet: Greedily(Beliefs(r, prior), d) for name, diet in diets.items()}
    chosen = best("greedy", made, asked)
    diet = next(diets[name] for name in made if made[name] is chosen)
    bold = {f"boldness {b}": lambda r, b=b: Sampled(Beliefs(r, prior), diet, b) for b in (0.02, 0.05, 0.1, 0.3, 1.0)}
    tried = {f"epsilon {e}": lambda r, e=e: Epsilon(Beliefs(r, prior), diet, e) for e in (0.002, 0.01, 0.03)}
    thompson = best("thompson", bold, asked)
    floors = replace(diet, bounds=wanted((), 0.0, bounded=True).bounds)
    boldness = next(float(knob.split()[1]) for knob, make in bold.items() if make is thompson)
    makes = {
        "thompson": thompson,
        "thompson, floors": lambda r: Sampled(Beliefs(r, prior), floors, boldness),
        "greedy": chosen,
        "epsilon-greedy": best("epsilon", tried, asked),
    }
    return makes, floors


def compared(rows: dict[str, list[Life]], ours: str) -> None:
    """The table: worth a minute, and how much more ours is, with the interval over readers (paired: the same items, the same luck)."""
    rng = np.random.default_rng(0)
    mine, days = totals(rows[ours])
    seeds, readers = mine.shape
    # whole worlds are drawn again, then readers in them: readers of one world share its sources
    again = [(rng.integers(seeds, size=(seeds, 1)), rng.integers(readers, size=(seeds, readers))) for _ in range(500)]
    print("\n| policy | worth a minute | seeds | minutes read | days worth it | came back | thompson above it by | 95 % | over budget |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, lives in rows.items():
        worth, here = totals(lives)
        rates = [one.rate for one in lives]
        rate = worth.sum() / here.sum()
        ratios = [mine[i].sum() / days[i].sum() / (worth[i].sum() / here[i].sum()) - 1 for i in again]
        low, high = np.quantile(ratios, [0.025, 0.975])
        by = f"{mine.sum() / days.sum() / rate - 1:+.1%} | {low:+.1%} to {high:+.1%}" if rate > 0 and name != ours else " | "
        read, liked, back = (np.mean([getattr(one, column) for one in lives]) for column in ("read", "liked", "back"))
        spread, over = f"{min(rates):.4f} to {max(rates):.4f}", sum(one.over for one in lives)
        print(f"| {name} | {rate / MINUTES:.4f} | {spread} | {read:.1f} | {liked:+.2f} | {back:.3f} | {by} | {over} |")


def totals(lives: list[Life]) -> tuple[np.ndarray, np.ndarray]:
    """(seeds, readers) worth and days."""
    return np.stack([one.worth for one in lives]), np.stack([one.days for one in lives])


def near(prior: Prior, diet: Diet, editions: int) -> None:
    """How far greedy editions of the simulated days are from the best there are, where minutes need not be spent (`worth` 0)."""
    world, diet = World(editions, seed=0), replace(diet, worth=0.0)
    policy = Sampled(Beliefs(editions, prior), diet)
    for _ in lived(world, policy, 20):
        pass
    world.morning()
    seen = offer(world)
    values = seen.scaled(policy.values(seen, np.random.default_rng(1)))
    picks, found = batched(seen.menus(values), diet), []
    for row in np.flatnonzero(world.here):
        groups = [{facet: str(of[row, i]) for facet, of in seen.facets.items()} for i in range(values.shape[1])]
        read = [
            Candidate(str(i), float(seen.minutes[row, i]), float(values[row, i]), group, str(seen.story[row, i]))
            for i, group in enumerate(groups)
        ]
        quick = Ledger(diet, read)
        for i in picks[row][picks[row] >= 0]:
            quick.take(int(i))
        best = exact(read, diet).total
        found.append((greedy(read, diet).total / best, told(quick).total / best))
    mean, worst = np.mean(found, axis=0), np.min(found, axis=0)
    print(f"\n{len(found)} editions beside the exact ones: greedy {mean[0]:.4f} (worst {worst[0]:.4f}), "
          f"without exchanges {mean[1]:.4f} (worst {worst[1]:.4f})")  # fmt: skip


def sensitivity(makes: dict[str, Make], readers: int, days: int) -> None:
    """What hangs on the parameters that were assumed; knobs and prior stay as they were chosen."""
    p = Parameters()
    changes: dict[str, dict[str, float]] = {"as it is": {}}
    for name in ("satiation", "again", "curiosity", "lure_cost", "drift", "interest"):
        changes |= {
            f"{name} 0" if factor == 0 else f"{name} x {factor}": {name: factor * vars(p)[name]}
            for factor in ((0, 2) if name != "interest" else (0.5, 2))
        }
    changes |= {"length 1": {"length": 1.0}, "rates 0.2": {"rates": 0.2}, "open_base 0": {"open_base": 0.0}}
    others = [name for name in makes if name != "thompson"]
    print(f"\n| world ({readers} readers, {days} days) | thompson | " + " | ".join(f"above {name}" for name in others) + " |")
    print("|---" * (len(others) + 2) + "|")
    for said, change in changes.items():
        found = {name: life(make, World(readers, replace(p, **change), seed=0), days).rate for name, make in makes.items()}
        above = " | ".join(f"{found['thompson'] / found[name] - 1:+.0%}" if found[name] > 0 else f"({found[name]:.3f})" for name in others)
        print(f"| {said} | {found['thompson']:.3f} | {above} |", flush=True)


class Practised:
    """A research policy: its network practises on held-out readers, and every world's readers then begin with that network."""

    def __init__(self, kind: Callable[[int, int], Policy], days: int) -> None:
        self.kind, self.days, self.seconds = kind, days, 0.0
        self.state: dict[str, torch.Tensor] | None = None

    def practise(self) -> None:
        """So many days in each of the held-out worlds, one after the other."""
        began = time.perf_counter()
        for seed in HELD_OUT:
            world = World(75, seed=seed)
            policy = self.begun(world.count)
            acting = Learnt(policy, Chance(Diet(MINUTES, worth=-5.0))) if isinstance(policy, CQL) else policy
            for _ in lived(world, acting, self.days):
                pass
            self.state = policy.network.state_dict()
        self.seconds = time.perf_counter() - began

    def begun(self, readers: int) -> Policy:
        """For so many readers, with what was learnt so far."""
        policy = self.kind(readers, len(names(World(1))))
        if self.state is not None:
            policy.network.load_state_dict(self.state)
        return policy

    def __call__(self, readers: int) -> Policy:
        if self.state is None:
            self.practise()
        return self.begun(readers)


class Learnt:
    """A policy that learns from another's editions."""

    name = "learnt from a log"

    def __init__(self, learner: Policy, actor: Policy) -> None:
        self.learner, self.actor = learner, actor

    def choose(self, offered, rng):  # type: ignore[no-untyped-def]
        return self.actor.choose(offered, rng)

    def update(self, feedback: Feedback) -> None:
        self.learner.update(feedback)


class Knowing:
    """The ceiling: knows what a minute of each item is worth to each reader this morning."""

    name = "all-knowing"

    def __init__(self, world: World, diet: Diet) -> None:
        self.world, self.diet = world, diet

    def values(self, offered: object, rng: np.random.Generator) -> np.ndarray:
        return self.world.rates() * self.world.today().minutes

    def choose(self, offered, rng):  # type: ignore[no-untyped-def]
        return batched(offered.menus(self.values(offered, rng)), self.diet)

    def update(self, feedback: Feedback) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tune", type=int, default=100, help="held-out readers that knobs are chosen on, in each of two worlds")
    parser.add_argument("--fit", action="store_true", help="print what real logs under $HEEDFUL_DATA say of the parameters, and stop")
    parser.add_argument("--research", action="store_true", help="also REINFORCE top-K, actor-critic and CQL")
    parser.add_argument("--practice", type=int, default=20, help="days that these practise in each held-out world")
    parser.add_argument("--keep", type=Path, help="a folder for what is finished")
    parser.add_argument("--only", nargs="*", help="the policies to compare; all where it is left out")
    parser.add_argument("--parts", nargs="*", default=["compare", "near", "sensitivity"], help="what to print; all by default")
    asked = parser.parse_args()
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
    asked.shelf = Shelf(asked.keep)
    if asked.fit:
        print(fits())
        return
    began = time.perf_counter()
    prior, clicks = asked.shelf.prior("worth", Reward(), True), asked.shelf.prior("clicks", Reward.clicks(), False)
    print("| knobs of | tried | chosen on held-out readers | worth a minute | the worst |\n|---|---|---|---|---|")
    lists = ranked(prior, asked)
    ours, diet = allocated(prior, asked)
    free = replace(diet, bounds=())
    rows: dict[str, list[Life]] = {}
    made: dict[str, tuple[Make | None, Reward | None]] = {name: (make, None) for name, make in {**ours, **lists}.items()}
    made["chance"] = (lambda r: Chance(free), None)
    made["all-knowing"] = (None, None)
    made["clicks, top-k"] = (lambda r: TopK(Beliefs(r, clicks, by_minute=False)), Reward.clicks())
    made["clicks, allocator"] = (lambda r: Greedily(Beliefs(r, clicks, by_minute=False), free), Reward.clicks())

    research = {name: Practised(kind, asked.practice) for name, kind in RESEARCH.items()} if asked.research else {}
    made |= {name: (make, None) for name, make in research.items()}

    def knowing(world: World) -> Make:
        return lambda r: Knowing(world, wanted(((0.4, 0.4),), 2.0))

    if "compare" in asked.parts:
        for name, (make, reward) in made.items():
            if asked.only and name not in asked.only:
                continue
            for seed in range(asked.seeds):
                world = World(asked.readers, seed=seed)
                tag = f"{name} {asked.readers} {asked.days} {seed}"
                chosen = knowing(world) if make is None else make
                one = asked.shelf.life(tag, lambda m=chosen, w=world, r=reward, s=seed: life(m, w, asked.days, r, s))
                rows.setdefault(name, []).append(one)
            practised = f", {research[name].seconds:.0f} s of practice" if name in research else ""
            print(f"{time.perf_counter() - began:6.0f} s  {name}: {np.mean([one.rate for one in rows[name]]):.4f}{practised}", flush=True)
        compared(rows, "thompson")
        for kept in filter(None, [rows.get("thompson, floors")]):
            editions, unfed, over = (sum(getattr(one, column) for one in kept) for column in ("editions", "unfed", "over"))
            planned = f"{np.mean([one.planned for one in kept]):.1f} of {MINUTES:g} minutes planned"
            print(f"\nthompson, floors: {editions:,} editions, floors not kept in {unfed}, over budget {over}, {planned}")
    if "near" in asked.parts:
        near(prior, diet, 60)
    if "sensitivity" in asked.parts:
        few = {name: make for name, make in {**ours, **lists}.items() if name not in ("greedy", "epsilon-greedy", "thompson, floors")}
        sensitivity(few, max(asked.readers // 10, 20), asked.days)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
