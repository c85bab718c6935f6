"""Small models, options by name, and the three ways of computing them that must agree."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import torch

from heedful.manage.apply.apply import changed
from heedful.manage.objective import model_hash
from heedful.manage.options.option import Option
from heedful.manage.options.table import parse
from heedful.manage.plan import Plan, Spend
from heedful.manage.watch import sites
from heedful.models.build import build
from heedful.models.decoder import Decoder
from heedful.spec import DecoderSpec
from heedful.spec.budget import Budget

Choices = Sequence[Sequence[str]]
FULL = ["full"] * 4


def decoder(choices: Choices, dtype: torch.dtype = torch.float64, loud: float = 3.0, **fields: Any) -> Decoder:
    """A model of as many layers, whose heads look at some keys much more than at others."""
    spec = DecoderSpec(vocabulary=50, context=256, width=64, layers=len(choices), heads=4, **fields)
    model = build(spec).eval().to(dtype)
    assert isinstance(model, Decoder)
    for parameter in model.parameters():
        parameter.data.mul_(loud)
    return model


def assignment(choices: Choices) -> dict[tuple[int, int], Option]:
    return {(site, head): parse(name) for site, row in enumerate(choices) for head, name in enumerate(row)}


@contextmanager
def as_planned(model: torch.nn.Module, choices: Choices, dense_below: int | None = 0):
    """The model under a plan's choices, whatever plan they are from."""
    with changed(model, choices, dense_below):
        yield model


def read(model: Decoder, ids: torch.Tensor, pieces: Sequence[int], prompt: int | None = None, **cache: int) -> torch.Tensor:
    """Logits of tokens that are read in pieces of these sizes, then one by one."""
    held = model.new_cache(**cache)
    for block in held.blocks:
        if prompt is not None and type(block.keys).__name__ == "RaggedCache":
            block.keys.prompt = prompt
    out, at = [], 0
    for size in [*pieces, *[1] * (ids.shape[1] - sum(pieces))]:
        out.append(model(ids[:, at : at + size], cache=held).logits)
        at += size
    return torch.cat(out, dim=1)


def plan_for(model: torch.nn.Module, choices: Choices, length: int = 64) -> Plan:
    """A plan of this model's, as `heedful plan` would write it, whose costs are made up."""
    places = sites(model)
    reasons = tuple(tuple("asked for" for _ in row) for row in choices)
    spend = Spend(1.0, 1.0, 1.0)
    budget = Budget(milliseconds=1.0, length=length)
    rows = tuple(tuple(row) for row in choices)
    return Plan(model_hash(model), "a machine", budget, places, rows, reasons, spend, spend, 0.0, None, "fisher", {}, ())
