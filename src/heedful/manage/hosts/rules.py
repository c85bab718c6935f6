"""What the mask functions of transformers mean in our algebra of masks.

transformers tells a mask as a function of four indices, made by the closures of its masking_utils. Those that are known become
Causal, Window, Documents, Blocks and Padding, which the quick kernels understand; any other is asked for all its answers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.window import Window
from heedful.manage.hosts.told import Rule

Told = Callable[..., Tensor]
Parts = tuple[Mask, ...]
HOME = "transformers.masking_utils"


@dataclass(frozen=True, slots=True)
class Places:
    """The queries stand at `first_q` and on, the keys at `first_k` and on."""

    batch: int
    queries: int
    keys: int
    first_q: int
    first_k: int
    device: torch.device

    @property
    def aligned(self) -> bool:
        """Whether the last query stands at the last key, as in our masks."""
        return self.first_q + self.queries == self.first_k + self.keys


def rule_of(told: Told, real: Bool[Tensor, "b n"] | None, places: Places) -> Rule | None:
    """The rule that a function and a table of real tokens mean; None where the function is not known.

    A causal one leaves the keys out that lie behind the last query: a static cache has room that nothing was written to yet.
    """
    found = parts_of(told, places)
    if found is not None and any(isinstance(part, Causal) for part in found):
        places = replace(places, keys=min(places.keys, places.first_q + places.queries - places.first_k))
        found = parts_of(told, places) if places.keys > 0 else None
    if found is None or (found and not places.aligned):
        return None
    parts = (*narrowed(found, places), *padding(real, places))
    return Rule(reduce(and_, parts) if parts else None, places.keys)


def narrowed(parts: Parts, places: Places) -> Parts:
    """The same rules said shortly: a causal window looks no way ahead, and one as wide as there are keys says nothing.

    >>> narrowed((Window(4, ahead=9), Causal()), Places(1, 9, 9, 0, 0, torch.device("cpu")))
    (Causal(), Window(size=4))
    """
    if not any(isinstance(part, Causal) for part in parts):
        return parts
    others = (Window(part.size) if isinstance(part, Window) else part for part in parts if not isinstance(part, Causal))
    return (Causal(), *(part for part in others if not (isinstance(part, Window) and part.size >= places.keys)))


def parts_of(told: Told, places: Places) -> Parts | None:
    """The rules that must all hold; none where everything is allowed."""
    made = told.__qualname__.partition(".")[0]
    if told.__module__ != HOME or made not in READERS:
        return None
    return READERS[made](inspect.getclosurevars(told).nonlocals, places)


def padding(real: Bool[Tensor, "b n"] | None, places: Places) -> Parts:
    """The rule of real tokens: those that are not there yet are none; all real needs no rule.

    >>> padding(torch.tensor([[True, True, False]]), Places(1, 3, 3, 0, 0, torch.device("cpu")))[0].lengths
    tensor([2])
    """
    if real is None:
        return ()
    end = places.first_k + places.keys
    held = pad(real, (0, max(0, end - real.shape[1])))[:, places.first_k : end].bool()
    if bool(held.all()):
        return ()
    lengths, change = held.sum(1), held[:, 1:] != held[:, :-1]
    if bool((change.sum(1) > 1).any()):
        return (Dense(held[:, None, None]),)
    whole = lengths == held.shape[1]
    for side, end_kept in (("right", held[:, 0]), ("left", held[:, -1])):
        if bool((whole | end_kept | (lengths == 0)).all()):
            return (Padding(lengths, side=side),)  # type: ignore[arg-type]  # one of the two
    return (Dense(held[:, None, None]),)


def causal(held: Mapping[str, Any], places: Places) -> Parts:
    """No later key."""
    return (Causal(),)


def everything(held: Mapping[str, Any], places: Places) -> Parts:
    """Every key."""
    return ()


def both(held: Mapping[str, Any], places: Places) -> Parts | None:
    """All the functions' rules."""
    found = [parts_of(told, places) for told in held["mask_functions"]]
    if any(parts is None for parts in found):
        return None
    return tuple(part for parts in found if parts is not None for part in parts)


def sliding(held: Mapping[str, Any], places: Places) -> Parts:
    """The latest keys: on its own it lets later ones through, and it never stands on its own."""
    return (Window(held["sliding_window"], ahead=places.keys),)


def sliding_both_ways(held: Mapping[str, Any], places: Places) -> Parts:
    """Keys at most so far away on either side."""
    return (Window(held["sliding_window"] + 1, ahead=held["sliding_window"]),)


def chunked(held: Mapping[str, Any], places: Places) -> Parts:
    """Pieces of the sequence that see only themselves, counted from the first real token."""
    size, left = held["chunk_size"], held["left_padding"].to(places.device)
    if not bool(left.any()) and places.first_k % size == 0:
        return (Blocks(size),)
    keys = torch.arange(places.first_k, places.first_k + places.keys, device=places.device)
    ids = (keys[None] - left[:, None]).div(size, rounding_mode="floor")
    return (Documents(ids - ids.min()),)


def packed(held: Mapping[str, Any], places: Places) -> Parts | None:
    """Several sequences in one; told only of whole passes."""
    ids: Int[Tensor, "b n"] = held["packed_sequence_mask"]
    return (Documents(ids),) if ids.shape[1] == places.keys and places.first_k == 0 else None


def remapped(held: Mapping[str, Any], places: Places) -> Parts | None:
    """A rule by the places within each packed sequence: there, what depends on distances alone is what it was."""
    found = parts_of(held["mask_function"], places)
    return found if found is not None and all(part.shift for part in found) else None


READERS: Mapping[str, Callable[[Mapping[str, Any], Places], Parts | None]] = {
    "causal_mask_function": causal,
    "bidirectional_mask_function": everything,
    "and_masks": both,
    "sliding_window_overlay": sliding,
    "sliding_window_bidirectional_overlay": sliding_both_ways,
    "chunked_overlay": chunked,
    "packed_sequence_mask_function": packed,
    "remap_positions_for_packed_sequence": remapped,
}
