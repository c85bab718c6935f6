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
