"""`heedful.apply` and `heedful.applied`: a model in which every head is computed and kept as a plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from torch import nn

from heedful.errors import UsageError
from heedful.manage.apply import ours
from heedful.manage.gates.applying import close
from heedful.manage.gates.choice import Closed
from heedful.manage.hosts.ours import Ours
from heedful.manage.plan import Plan
from heedful.manage.site import Site
from heedful.manage.watch import host_of

Choices = Sequence[Sequence[str]]


def apply(model: nn.Module, plan: Plan, *, dense_below: int | None = None) -> nn.Module:
    """Give the model's heads the plan's options, for good: the same model, smaller and faster; `generate` uses its caches unasked.

    Weights of dropped heads are gone and the others stand in another order, so a plan cannot be applied twice.

    Arguments:
        dense_below: shorter texts are read with all of the attention of the heads that are left, since a plan is slower there;
            None for where the machine's cost table puts the crossover, 0 for never.

    Errors: `UsageError` for a plan that was made for other weights, `Unsupported` for layers that cannot be given one.
    """
    plan.refuse(model)
    arrange(model, plan.choices, dense_below, plan.gates)
    return model


@contextmanager
def applied(model: nn.Module, plan: Plan, *, dense_below: int | None = None) -> Iterator[nn.Module]:
    """The same within a `with`; at the end every layer is the one it was, with the same parameters.

    >>> import torch, heedful
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model, ids = build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=2)).eval(), torch.randint(11, (1, 64))
    >>> plan = heedful.plan(heedful.profile(model, [{"input_ids": ids}]), heedful.Budget(operations=0.5))
    >>> before = list(model.parameters())
    >>> with torch.no_grad(), heedful.applied(model, plan):
    ...     model(ids).logits.shape
    torch.Size([1, 64, 11])
    >>> all(one is other for one, other in zip(before, model.parameters(), strict=True))
    True
    """
    plan.refuse(model)
    with changed(model, plan.choices, dense_below, plan.gates):
        yield model


def arrange(model: nn.Module, choices: Choices, dense_below: int | None = None, gates: Sequence[Closed] = ()) -> None:
    """Give heads their options for good, whatever the model's weights are."""
    changed(model, choices, dense_below, gates).pop_all()


def changed(model: nn.Module, choices: Choices, dense_below: int | None = None, gates: Sequence[Closed] = ()) -> ExitStack:
    """The model changed; closing what is given back undoes it. Where something is refused nothing has changed."""
    host = host_of(model)
    places = host.sites(model)
    if tuple(site.heads for site in places) != tuple(map(len, choices)):
        asked = ", ".join(str(len(names)) for names in choices)
        raise UsageError(f"a plan has an option for each head: the model has {heads_of(places)} heads, found options for {asked}")
    with ExitStack() as stack:
        if isinstance(host, Ours):
            ours.change(model, places, choices, dense_below, stack)
            close(model, gates, stack)
        else:
            from heedful.manage.apply.pretrained import model as pretrained

            pretrained.change(model, places, choices, dense_below, stack)
        return stack.pop_all()


def heads_of(places: Sequence[Site]) -> str:
    """How many heads there are at each site, in words."""
    return ", ".join(str(site.heads) for site in places)
