"""A model in which heads have options, computed by masks: right, not fast; what is fast is `manage/apply`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.options.option import Option
from heedful.manage.options.table import FULL
from heedful.manage.seen import Seen
from heedful.manage.support import support
from heedful.manage.watch import sites, watched

Assignment = Mapping[tuple[int, int], Option]


@contextmanager
def simulated(model: nn.Module, assignment: Assignment, prefill: int | None = None) -> Iterator[None]:
    """Within it the heads named by (site, head) have those options, and the others all of their attention.

    With `prefill` the sequence is read as a prompt of that many tokens, after which caches evict, and steps after it: queries
    from there on see what was kept of the prompt and everything since (of a ring: what it still holds). Without, options that
    only evict change nothing, since the pass that they leave whole is all there is.

    >>> from heedful.manage.options.table import parse
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model, ids = build(DecoderSpec(vocabulary=11, layers=2, width=16)).eval(), torch.tensor([[1, 2, 3, 4, 5, 6]])
    >>> with torch.no_grad(), simulated(model, {(0, 0): parse("window(2,1)"), (1, 0): parse("drop")}):
    ...     changed = model(ids).logits
    >>> bool((changed[:, :1] == model(ids).logits[:, :1]).all()), bool(torch.allclose(changed, model(ids).logits))
    (False, False)
    """
    heads = {site.index: site.heads for site in sites(model)}
    for site, head in assignment:
        if site not in heads or not 0 <= head < heads[site]:
            counts = " or ".join(str(count) for count in sorted(set(heads.values())))
            raise UsageError(f"there is no head {head} at site {site}: the model has {len(heads)} sites, of {counts} heads")
    with watched(model, lambda seen: mixed(seen, options_at(seen, assignment), prefill)):
        yield


def options_at(seen: Seen, assignment: Assignment) -> list[Option]:
    """The option of every query head of a site."""
    return [assignment.get((seen.site.index, head), FULL) for head in range(seen.q.shape[1])]


def mixed(seen: Seen, options: list[Option], prefill: int | None = None) -> Float[Tensor, "b h q v"]:
    """The attention of one site, each head with its option; heads of one option are computed together."""
    groups: dict[Option, list[int]] = {}
    for head, option in enumerate(options):
        groups.setdefault(option, []).append(head)
    parts = [attended(seen, option, heads, prefill) for option, heads in groups.items()]
    if len(parts) == 1:
        return parts[0]
    order = torch.tensor([head for heads in groups.values() for head in heads], device=seen.q.device)
    return torch.cat(parts, dim=1)[:, order.argsort()]


def attended(seen: Seen, option: Option, heads: list[int], prefill: int | None = None) -> Float[Tensor, "b n q v"]:
    """What some query heads give under one option; raises as `support` does."""
    if option.drops:
        return seen.q.new_zeros(seen.q.shape[0], len(heads), seen.q.shape[2], seen.v.shape[3])
    alone = seen.only(heads)
    whole = alone is seen
    out: Tensor = alone.attend(support(seen, option, prefill, None if whole else heads))
    return out[:, heads] if whole and len(heads) < out.shape[1] else out
