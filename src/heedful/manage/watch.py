"""The attention of a model, seen and replaced: every estimator, simulation and plan goes through here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from heedful.errors import Unsupported
from heedful.manage.hosts.host import Handler, Host
from heedful.manage.hosts.ours import Ours
from heedful.manage.hosts.pretrained import HuggingFace
from heedful.manage.site import Site

HOSTS: tuple[Host, ...] = (Ours(), HuggingFace())


def host_of(model: nn.Module) -> Host:
    """The first host that can serve the model; `Unsupported` with every host's reason otherwise."""
    reasons = []
    for host in HOSTS:
        reason = host.why_not(model)
        if reason is None:
            return host
        reasons.append(reason)
    raise Unsupported(f"{type(model).__name__}: its attention cannot be managed: {'; '.join(reasons)}")


def sites(model: nn.Module) -> tuple[Site, ...]:
    """The attention layers of a model.

    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> [site.name for site in sites(build(DecoderSpec(vocabulary=11, layers=2, width=16)))]
    ['layers.0.attention', 'layers.1.attention']
    """
    return host_of(model).sites(model)


@contextmanager
def watched(model: nn.Module, handler: Handler) -> Iterator[None]:
    """Within it every attention of the model is what `handler(seen)` gives, (b, h, q, v); undone at the end.

    >>> import torch
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = build(DecoderSpec(vocabulary=11, layers=2, width=16)).eval()
    >>> ids = torch.tensor([[1, 2, 3]])
    >>> with torch.no_grad(), watched(model, lambda seen: seen.attend()):
    ...     same = model(ids).logits
    >>> bool(torch.allclose(same, model(ids).logits, atol=1e-6))
    True
    """
    with host_of(model).watched(model, handler):
        yield
