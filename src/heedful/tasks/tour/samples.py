"""What the models write, and where the transformer looked for each token of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from heedful.explanations.page import Section
from heedful.explanations.parts.prose import command, passage
from heedful.explanations.parts.text import text_pane
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.continuation import Continuation
from heedful.tasks.looked import looks_of
from heedful.tasks.task import Asked, View
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan
from heedful.tasks.tour.trained import Trained


def samples(models: Sequence[Trained], plan: Plan, guide: Guide) -> Section:
    """A continuation by each model; the first one's with where it looked."""
    made = [continued(model, plan) for model in models]
    for model, continuation in zip(models, made, strict=True):
        guide.say(f"{model.kind}: {plan.prompt}{continuation.text}")
    looks = looks_of(made[0])
    pane = text_pane(
        looks.tokens, looks.chosen(View()), len(looks.tokens) - looks.new, "The transformer: choose a token to see where it looked"
    )
    texts = [passage(plan.prompt + one.text, f"The {model.kind} model") for model, one in zip(models[1:], made[1:], strict=True)]
    asked = options(plan.sampling, plan.ending, plan.seed)
    prompt = shlex.quote(plan.prompt)
    again = [
        command(f"heedful explain {models[0].folder} {prompt} {asked} --out explain.html"),
        *(command(f"heedful predict {model.folder} {prompt} {asked}") for model in models[1:]),
    ]
    lead = (
        f"Both continue “{plan.prompt}”. The shades are attention weights, the mean over all layers and heads: "
        "what was read, which is not yet why a token was chosen."
    )
    return Section("What it writes, and where it looked", lead, [pane, *texts, *again], "samples")


def continued(model: Trained, plan: Plan) -> Continuation:
    """The whole continuation of the prompt."""
    continuation = Continuation(model.loaded, plan.prompt, Asked(plan.sampling, plan.ending), plan.seed)
    continuation.record()
    return continuation


def options(sampling: Sampling, ending: Ending, seed: int) -> str:
    """The same wishes as options of the command line."""
    return f"--temperature {sampling.temperature:g} --top-p {sampling.top_p:g} --max-tokens {ending.max_tokens} --seed {seed}"
