"""Where a Hugging Face attention keeps its projections, whatever its layout: as blocks of (heads, d, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import Unsupported
from heedful.manage.site import Site

APART = (
    ("q_proj", "k_proj", "v_proj"),
    ("query", "key", "value"),
    ("q", "k", "v"),
    ("q_lin", "k_lin", "v_lin"),
    ("linear_q", "linear_k", "linear_v"),
)
ENDS = (
    "o_proj",
    "out_proj",
    "o",
    "Wo",
    "out_lin",
    "linear_out",
    "dense",
    "c_proj",
    "proj",
    "projection_layer",
    "projection",
    "output.dense",
)
FUSED = ("c_attn", "qkv_proj", "qkv", "Wqkv", "query_key_value")
BY_HEAD = (
    "GPTNeoXAttention",
    "GPTBigCodeAttention",
)  # query, key and value of the first head, then of the second ...; others: all queries first
ACROSS = ("q_norm", "k_norm", "q_layernorm", "k_layernorm", "query_layernorm", "key_layernorm", "attn_sub_norm", "inner_attn_ln")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The part of a linear map that belongs to each head.

    `places` (heads, d) are output features of the map, or, for the output projection, its input features. `name` is the map's path
    from the model; `turned` says that its weight is kept (in, out), as GPT-2's Conv1D does.

    >>> linear = nn.Linear(6, 4, bias=False)
    >>> block = Block("q_proj", linear, torch.arange(4).view(2, 2), side="out")
    >>> block.weight.shape, bool((block.weight[1] == linear.weight[2:]).all())
    (torch.Size([2, 2, 6]), True)
    >>> block.only([1]).weight.shape
    torch.Size([2, 6])
    """

    name: str
    module: nn.Module
    places: Int[Tensor, "heads d"]
    side: Literal["out", "in"]
    turned: bool = False

    @property
    def matrix(self) -> Float[Tensor, "out in"]:
        """The whole map's weight, (out, in) however it is kept."""
        weight = self.module.get_parameter("weight")
        return weight.mT if self.turned else weight

    @property
    def weight(self) -> Float[Tensor, "heads d m"]:
        """What each head reads from the stream, or writes to it."""
        matrix = self.matrix if self.side == "out" else self.matrix.mT
        return matrix[self.places]

    @property
    def whole_bias(self) -> Float[Tensor, " out"] | None:
        """The whole map's bias."""
        return dict(self.module.named_parameters(recurse=False)).get("bias")

    @property
    def bias(self) -> Float[Tensor, "heads d"] | None:
        """The bias of each head; None where there is none, and for an output projection, whose bias belongs to no head."""
        bias = self.whole_bias
        return None if bias is None or self.side == "in" else bias[self.places]

    def only(self, heads: list[int]) -> nn.Linear:
        """A new map with these heads alone, in this order: rows of a projection, or columns of the output's, its bias whole."""
        index = rearrange(self.places[heads], "heads d -> (heads d)")
        weight = self.matrix[index] if self.side == "out" else self.matrix[:, index]
        bias = self.whole_bias if self.side == "in" or self.whole_bias is None else self.whole_bias[index]
        kept = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta", dtype=weight.dtype)
        kept.weight = nn.Parameter(weight.detach().clone(), requires_grad=weight.requires_grad)
        if bias is not None:
            kept.bias = nn.Parameter(bias.detach().clone(), requires_grad=bias.requires_grad)
        return kept.train(self.module.training)


class Projections(NamedTuple):
    """Queries, keys, values and the output of one site; several of them may be parts of one map."""

    q: Block
    k: Block
    v: Block
    o: Block


def projections(model: nn.Module, site: Site) -> Projections:
    """The projections of a site of a Hugging Face model.

    Raises `Unsupported` for a layout that is not known, for one whose sizes are not those of the site's heads, and for norms or gates
    that mix the heads between the projections and the attention: such heads cannot be taken apart.
    """
    attention = model.get_submodule(site.name)
    parts = dict(attention.named_children())
    mixing = [name for name in ACROSS if name in parts and width(parts[name]) not in (0, site.d)]
    if mixing:
        raise refused(site, f"{mixing[0]} is over all heads together, {width(parts[mixing[0]])} wide")
    end = output(model, site)
    for names in APART:
        if all(name in parts for name in names):
            q, k, v = (plain(f"{site.name}.{name}", parts[name], *shape) for name, shape in zip(names, shapes(site), strict=True))
            return checked(Projections(q, k, v, end), site)
    for name in FUSED:
        if name in parts:
            by_head = type(attention).__name__ in BY_HEAD and site.heads == site.kv_heads
            return checked(Projections(*fused(f"{site.name}.{name}", parts[name], site, by_head), end), site)
    raise refused(site, f"it holds {', '.join(parts) or 'no modules'}, none of the known layouts")


def shapes(site: Site) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Heads and their width of queries, keys and values."""
    return (site.heads, site.d), (site.kv_heads, site.d), (site.kv_heads, site.v)


def plain(name: str, module: nn.Module, heads: int, d: int, side: Literal["out", "in"] = "out") -> Block:
    """A map that is nothing but the heads, one after the other."""
    return Block(name, module, torch.arange(heads * d).view(heads, d), side, turned(module))


def fused(name: str, module: nn.Module, site: Site, by_head: bool) -> tuple[Block, Block, Block]:
    """One map: all queries, then all keys, then all values; or, head by head, its query, key and value."""
    sizes = [heads * d for heads, d in shapes(site)]
    places = torch.arange(sum(sizes))
    if by_head:
        pieces = list(rearrange(places, "(heads three d) -> three heads d", heads=site.heads, three=3))
    else:
        pieces = [piece.view(shape) for piece, shape in zip(torch.split(places, sizes), shapes(site), strict=True)]
    q, k, v = (Block(name, module, piece, "out", turned(module)) for piece in pieces)
    return q, k, v


def output(model: nn.Module, site: Site) -> Block:
    """The map from the heads' outputs back to the stream: in the attention itself, or beside it as in BERT."""
    parent = site.name.rpartition(".")[0]
    for holder in (site.name, parent):
        found = dict(model.get_submodule(holder).named_modules())
        for name in ENDS:
            if name in found and found[name].state_dict().get("weight") is not None:
                return plain(f"{holder}.{name}" if holder else name, found[name], site.heads, site.v, "in")
    raise refused(site, "its output projection was not found")


def turned(module: nn.Module) -> bool:
    """Whether a map keeps its weight (in, out)."""
    return type(module).__name__ == "Conv1D"


def width(module: nn.Module) -> int:
    """How many features a norm scales; 0 where it has no scale."""
    weight = dict(module.named_parameters(recurse=False)).get("weight")
    return 0 if weight is None else weight.numel()


def checked(found: Projections, site: Site) -> Projections:
    """The projections, where every map is two-dimensional and as wide as the heads it is said to hold."""
    for module in {id(block.module): block for block in found}.values():
        if not (type(module.module) is nn.Linear or module.turned):
            kind = type(module.module)
            raise refused(site, f"{module.name} is a {kind.__module__}.{kind.__name__}, no plain linear map (adapters merged would be)")
        blocks = [block for block in found if block.module is module.module]
        need, matrix = sum(block.places.numel() for block in blocks), module.matrix
        if matrix.dim() != 2 or matrix.shape[0 if module.side == "out" else 1] != need:
            raise refused(site, f"{module.name} has a weight of {tuple(matrix.shape)}, its heads take {need}")
    return found


def refused(site: Site, reason: str) -> Unsupported:
    """The error for a layout that heads cannot be cut out of."""
    return Unsupported(f"{site.name}: its heads cannot be taken apart: {reason}")
