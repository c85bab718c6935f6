"""Words and attributes of items and users as numbers that a model reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
from jaxtyping import Int

from heedful.data.interactions.log import Described
from heedful.data.interactions.sequences import Sequences

LEAST = 2  # items (or users) that must have a feature, so that something can be learnt of it


def vocabulary(found: Sequences, known: Sequence[str], users: bool) -> list[str]:
    """The features of the items that are known, and of the users if they are read, the most frequent first; those of one alone left out."""
    about = found.log.about_items
    counts = Counter(feature for name in known if name in about for feature in about[name].features)
    if users:
        counts.update(feature for user in found.users if user in found.log.about_users for feature in found.log.about_users[user].features)
    return [feature for feature, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if count >= LEAST]


def numbered(described: Iterable[Described], ids: Mapping[str, int], most: int) -> Int[torch.Tensor, "n f"]:
    """The first `most` features of each, padded with -1; unknown ones are left out.

    >>> numbered([Described("", ("new", "topic=tea"))], {"topic=tea": 4}, 2).tolist()
    [[4, -1]]
    """
    rows = [[ids[feature] for feature in one.features if feature in ids][:most] for one in described]
    out = torch.full((len(rows), most), -1, dtype=torch.long)
    for i, row in enumerate(rows):
        out[i, : len(row)] = torch.tensor(row, dtype=torch.long)
    return out


def of_users(found: Sequences, ids: Mapping[str, int], most: int) -> Int[torch.Tensor, "u f"]:
    """The features of every user."""
    return numbered((found.log.about_users.get(user, Described()) for user in found.users), ids, most)
