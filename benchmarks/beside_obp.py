"""Our off-policy estimators beside the Open Bandit Pipeline's, on the same logged bandit feedback and the same model's guesses.

In an environment of its own, since obp 0.5.5 is of 2022:

    pip install "numpy<2" scikit-learn "pandas<3" scipy tqdm pyyaml seaborn matplotlib jaxtyping torch==2.13.0
    pip install --ignore-requires-python --no-deps obp==0.5.5 pyieoe
    PYTHONPATH=src python benchmarks/beside_obp.py

The data is the sample of the Open Bandit Dataset that obp carries (10,000 rounds a campaign, uniform policy), the policy in question
Bernoulli Thompson sampling as obp computes it, and the lists are drawn by obp's own generator.
"""

from __future__ import annotations

import argparse

import numpy as np
from obp.dataset import OpenBanditDataset, SyntheticSlateBanditDataset, logistic_reward_function
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    RegressionModel,
    SelfNormalizedInverseProbabilityWeighting,
    SlateCascadeDoublyRobust,
    SlateIndependentIPS,
    SlateRewardInteractionIPS,
    SwitchDoublyRobust,
)
from obp.policy import BernoulliTS
from sklearn.linear_model import LogisticRegression

from heedful.diet.offpolicy.cascade_dr import CascadeDR
from heedful.diet.offpolicy.dm import DM
from heedful.diet.offpolicy.dr import DR
from heedful.diet.offpolicy.iips import IIPS
from heedful.diet.offpolicy.ipw import IPW
from heedful.diet.offpolicy.logged import Log
from heedful.diet.offpolicy.rips import RIPS
from heedful.diet.offpolicy.slates import SlateLog
from heedful.diet.offpolicy.snipw import SNIPW
from heedful.diet.offpolicy.switch import SwitchDR

MOST = 3.0  # weight above which Switch-DR trusts the model
Pairs = dict[str, tuple[float, float]]


def single(campaign: str, draws: int) -> Pairs:
    """Estimates for one campaign, ours and obp's."""
    data = OpenBanditDataset(behavior_policy="random", campaign=campaign)
    feedback = data.obtain_batch_bandit_feedback()
    policy = BernoulliTS(n_actions=data.n_actions, len_list=data.len_list, is_zozotown_prior=True, campaign=campaign, random_state=1)
    chosen = policy.compute_batch_action_dist(n_sim=draws, n_rounds=feedback["n_rounds"])
    model = RegressionModel(
        n_actions=data.n_actions, len_list=data.len_list, action_context=data.action_context, base_model=LogisticRegression(C=100)
    )
    guessed = model.fit_predict(
        context=feedback["context"], action=feedback["action"], reward=feedback["reward"], pscore=feedback["pscore"],
        position=feedback["position"], action_dist=chosen, n_folds=2, random_state=1,
    )  # fmt: skip
    rows, place = np.arange(feedback["n_rounds"]), feedback["position"]
    log = Log(feedback["action"], feedback["reward"].astype(float), feedback["pscore"], chosen[rows, :, place], guessed[rows, :, place])
    theirs = {
        "ipw": (IPW(), InverseProbabilityWeighting()),
        "snipw": (SNIPW(), SelfNormalizedInverseProbabilityWeighting()),
        "dm": (DM(), DirectMethod()),
        "dr": (DR(), DoublyRobust()),
        "switch-dr": (SwitchDR(most=MOST), SwitchDoublyRobust(lambda_=MOST)),
    }
    given = {
        "reward": feedback["reward"], "action": feedback["action"], "pscore": feedback["pscore"], "position": place,
        "action_dist": chosen, "estimated_rewards_by_reg_model": guessed,
    }  # fmt: skip
    return {name: (float(ours(log).mean()), float(other.estimate_policy_value(**given))) for name, (ours, other) in theirs.items()}


def lists(rounds: int) -> Pairs:
    """Estimates over drawn lists, ours and obp's."""
    data = SyntheticSlateBanditDataset(
        n_unique_action=10, len_list=3, dim_context=4, reward_type="binary", reward_structure="cascade_additive",
        click_model=None, base_reward_function=logistic_reward_function, random_state=1,
    )  # fmt: skip
    feedback = data.obtain_batch_bandit_feedback(n_rounds=rounds)
    logits = np.random.default_rng(0).normal(size=(rounds, 10))
    _, by_item, cascade = data.obtain_pscore_given_evaluation_policy_logit(
        action=feedback["action"], evaluation_policy_logit_=logits, return_pscore_item_position=True
    )
    log = SlateLog(
        feedback["slate_id"], feedback["position"], feedback["reward"].astype(float),
        feedback["pscore_item_position"], by_item, feedback["pscore_cascade"], cascade,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    guess, dist = (
        rng.random(rounds * 3 * 10),
        data.calc_evaluation_policy_action_dist(action=feedback["action"], evaluation_policy_logit_=logits),
    )
    table, chances = guess.reshape(-1, 10), dist.reshape(-1, 10)
    chosen = table[np.arange(len(table)), feedback["action"]]
    common = {"slate_id": feedback["slate_id"], "reward": feedback["reward"], "position": feedback["position"]}
    seen = {"pscore_cascade": feedback["pscore_cascade"], "evaluation_policy_pscore_cascade": cascade}
    items = {"pscore_item_position": feedback["pscore_item_position"], "evaluation_policy_pscore_item_position": by_item}
    doubly = SlateCascadeDoublyRobust(len_list=3, n_unique_action=10)
    return {
        "iips": (float(IIPS()(log).mean()), float(SlateIndependentIPS(len_list=3).estimate_policy_value(**common, **items))),
        "rips": (float(RIPS()(log).mean()), float(SlateRewardInteractionIPS(len_list=3).estimate_policy_value(**common, **seen))),
        "cascade-dr": (
            float(CascadeDR(chosen, (table * chances).sum(1))(log).mean()),
            float(
                doubly.estimate_policy_value(**common, **seen, action=feedback["action"], q_hat=guess, evaluation_policy_action_dist=dist)
            ),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000, help="simulated choices behind the policy's probabilities")
    parser.add_argument("--rounds", type=int, default=2_000, help="drawn lists")
    asked = parser.parse_args()
    found = {f"{campaign} {name}": pair for campaign in ("men", "women") for name, pair in single(campaign, asked.draws).items()}
    found |= lists(asked.rounds)
    for name, (ours, theirs) in found.items():
        print(f"{name:16} {ours:.8f} {theirs:.8f} {abs(ours - theirs):.1e}")
    print(f"largest difference {max(abs(ours - theirs) for ours, theirs in found.values()):.1e}")


if __name__ == "__main__":
    main()
