"""Heedful: attention under a budget. Public names are loaded when first used, so that `import heedful` is cheap.

>>> import torch, heedful
>>> q = torch.randn(1, 8, 16, 32)
>>> heedful.attend(q, q, q, mask=heedful.masks.Causal() & heedful.masks.Window(4)).shape
torch.Size([1, 8, 16, 32])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from heedful.version import __version__

if TYPE_CHECKING:
    from heedful import gates, linear, masks, positions, scores, weightings
    from heedful.attention.attend import attend
    from heedful.attention.backends.region import backend
    from heedful.attention.merge import merge
    from heedful.attention.predict import predict_cost
    from heedful.attention.select import Select
    from heedful.attention.summary import Summary
    from heedful.attention.why import why
    from heedful.bench.calibrate import measure
    from heedful.errors import HeedfulError
    from heedful.layers.convert import convert
    from heedful.layers.multihead import MultiHeadAttention
    from heedful.manage.apply.apply import applied, apply
    from heedful.manage.frontier.drawing import frontier
    from heedful.manage.plan import Plan
    from heedful.manage.planning import plan
    from heedful.manage.profile import Profile
    from heedful.manage.profiling import profile
    from heedful.manage.saving.load import load
    from heedful.manage.verify.verify import verify
    from heedful.spec.budget import Budget
    from heedful.tasks.explained.explain import explain

HOMES = {
    "Budget": "heedful.spec.budget",
    "HeedfulError": "heedful.errors",
    "MultiHeadAttention": "heedful.layers.multihead",
    "Plan": "heedful.manage.plan",
    "Profile": "heedful.manage.profile",
    "Select": "heedful.attention.select",
    "Summary": "heedful.attention.summary",
    "applied": "heedful.manage.apply.apply",
    "apply": "heedful.manage.apply.apply",
    "attend": "heedful.attention.attend",
    "backend": "heedful.attention.backends.region",
    "convert": "heedful.layers.convert",
    "explain": "heedful.tasks.explained.explain",
    "frontier": "heedful.manage.frontier.drawing",
    "load": "heedful.manage.saving.load",
    "measure": "heedful.bench.calibrate",
    "merge": "heedful.attention.merge",
    "plan": "heedful.manage.planning",
    "predict_cost": "heedful.attention.predict",
    "profile": "heedful.manage.profiling",
    "verify": "heedful.manage.verify.verify",
    "why": "heedful.attention.why",
}
ROOMS = ("gates", "linear", "masks", "positions", "scores", "weightings")

__all__ = [
    "Budget",
    "HeedfulError",
    "MultiHeadAttention",
    "Plan",
    "Profile",
    "Select",
    "Summary",
    "__version__",
    "applied",
    "apply",
    "attend",
    "backend",
    "convert",
    "explain",
    "frontier",
    "gates",
    "linear",
    "load",
    "masks",
    "measure",
    "merge",
    "plan",
    "positions",
    "predict_cost",
    "profile",
    "scores",
    "verify",
    "weightings",
    "why",
]


def __getattr__(name: str) -> Any:
    """A public name, loaded from its home on first use (PEP 562)."""
    if name in ROOMS:
        return importlib.import_module(f"heedful.{name}")
    if name in HOMES:
        value = getattr(importlib.import_module(HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'heedful' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
