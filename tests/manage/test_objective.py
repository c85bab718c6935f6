from __future__ import annotations

import pytest
import torch

from heedful.errors import UsageError
from heedful.manage.objective import model_hash, token_losses
from heedful.models.build import build
from heedful.spec import DecoderSpec


def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=2)).eval()


def test_labels_of_ours_name_the_next_token() -> None:
    model, ids = small(), torch.randint(11, (2, 7))
    scored = token_losses(model, {"input_ids": ids[:, :-1], "labels": ids[:, 1:]})
    assert scored.number == 12
    torch.testing.assert_close(scored.total / scored.number, model(ids[:, :-1], labels=ids[:, 1:]).loss)
    without = token_losses(model, {"ids": ids})
    assert without.number == 12
    torch.testing.assert_close(without.total, scored.total)


def test_padding_is_not_counted() -> None:
    model, ids = small(), torch.randint(11, (2, 7))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    scored = token_losses(model, {"input_ids": ids, "attention_mask": mask})
    assert scored.counts.tolist() == [[True] * 6 + [False], [True] * 3 + [False] * 4]


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(UsageError, match="input_ids: found x"):
        token_losses(small(), {"x": torch.zeros(1)})
    with pytest.raises(UsageError, match="a batch is a dict"):
        token_losses(small(), torch.zeros(1, dtype=torch.long))  # type: ignore[arg-type]


def test_hashes_tell_models_apart() -> None:
    model, other = small(), small()
    assert model_hash(model) == model_hash(other)
    with torch.no_grad():
        next(iter(other.parameters())).view(-1)[0] += 1
    assert model_hash(model) != model_hash(other)
