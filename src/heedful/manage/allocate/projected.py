"""What dropped heads save beside the attention core: their rows of the projections."""

from __future__ import annotations

from torch import nn

from heedful.manage.allocate.units import Names
from heedful.manage.plan import DROP
from heedful.manage.site import Site


def saved(model: nn.Module, sites: tuple[Site, ...], choices: Names, tokens: int) -> float:
    """Operations of the projections that a plan leaves out over so many tokens; sites whose width cannot be told count nothing.

    >>> from heedful.layers.multihead import MultiHeadAttention
    >>> site = Site(0, "0", heads=2, kv_heads=2, d=4, v=4, causal=True)
    >>> saved(nn.Sequential(MultiHeadAttention(8, 2)), (site,), (("full", "drop"),), tokens=10)
    2560.0
    """
    return float(sum(2 * tokens * rows_saved(site, names) * width_of(model, site) for site, names in zip(sites, choices, strict=True)))


def rows_saved(site: Site, names: tuple[str, ...]) -> int:
    """Rows of the projections that are not computed: queries and outputs of dropped heads, keys and values that nobody reads."""
    dropped = {head for head, name in enumerate(names) if name == DROP}
    unread = sum(all(head in dropped for head in range(site.heads) if site.group(head) == shared) for shared in range(site.kv_heads))
    return (site.d + site.v) * (len(dropped) + unread)


def width_of(model: nn.Module, site: Site) -> int:
    """The width that a site's projections come from and go to: that of the output projection, the last of them; 0 if none is found."""
    inner, shapes = site.heads * site.v, [tuple(parameter.shape) for parameter in model.get_submodule(site.name).parameters()]
    fitting = [shape for shape in shapes if len(shape) == 2 and inner in shape]
    return sum(fitting[-1]) - inner if fitting else 0
