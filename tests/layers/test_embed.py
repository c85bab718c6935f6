import pytest
import torch

from heedful.errors import UsageError
from heedful.layers.embed import TokenEmbedding


def test_rows_and_logits_read_one_matrix() -> None:
    layer, ids = TokenEmbedding(7, 4), torch.tensor([[1, 6, 1]])
    x = layer(ids)
    assert torch.equal(x[0, 0], layer.weight[1])
    torch.testing.assert_close(layer.logits(x), x @ layer.weight.T)
    assert len(list(layer.parameters())) == 1


def test_padding_is_zero_and_learns_nothing() -> None:
    layer = TokenEmbedding(5, 3, padding=2)
    out = layer(torch.tensor([[2, 1]]))
    assert not out[0, 0].any()
    out.sum().backward()
    assert layer.weight.grad is not None
    assert not layer.weight.grad[2].any()
    assert layer.weight.grad[1].any()


@pytest.mark.parametrize("sizes", [{"vocabulary": 0, "dim": 3}, {"vocabulary": 4, "dim": 3, "padding": 4}])
def test_a_vocabulary_without_its_tokens_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="one token or more"):
        TokenEmbedding(**sizes)


@pytest.mark.parametrize("pace", [1.0, 0.25])
def test_the_last_rows_give_what_they_began_with_and_are_not_learnt(pace: float) -> None:
    layer, ids = TokenEmbedding(5, 3, pace=pace, still=2), torch.tensor([[0, 2, 3, 4]])
    rows = torch.arange(6.0).view(2, 3) + 1
    layer.begin(torch.tensor([2, 4]), rows)
    found = layer(ids)
    torch.testing.assert_close(found[0, 1::2], rows)
    assert not found[0, 2].any()
    torch.testing.assert_close(layer.logits(torch.eye(3)[None])[0].T[ids[0]], found[0])
    found.sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[pace] * 3, [0.0] * 3, [pace] * 3]
    assert layer.size == 5


def test_one_row_at_least_is_learnt() -> None:
    with pytest.raises(UsageError, match="fewer than all"):
        TokenEmbedding(2, 3, still=2)
