import pytest
import torch

from heedful.errors import ShapeError
from heedful.layers.crossmodal import CrossModalAttention


def test_each_stream_reads_the_other_as_it_came() -> None:
    layer = CrossModalAttention(8, 12, heads=4)
    a, b = torch.randn(2, 3, 8), torch.randn(2, 5, 12)
    out_a, out_b, (a_seen, b_seen) = layer(a, b, trace=True)
    torch.testing.assert_close(out_a, a + layer.a_reads(layer.a_norm(a), layer.b_norm(b)))
    torch.testing.assert_close(out_b, b + layer.b_reads(layer.b_norm(b), layer.a_norm(a)))
    assert (a_seen.weights.shape, b_seen.weights.shape) == ((2, 4, 3, 5), (2, 4, 5, 3))
    assert (a_seen.name, b_seen.name) == ("a reads b", "b reads a")
    plain = layer(a, b)
    torch.testing.assert_close(plain[0], out_a, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(plain[1], out_b, atol=1e-6, rtol=1e-6)


def test_padding_in_either_stream_changes_nothing() -> None:
    layer = CrossModalAttention(8, 12, heads=2, norm="rms")
    a, b = torch.randn(1, 3, 8), torch.randn(1, 5, 12)
    longer_a, longer_b = torch.cat([a, 9 * torch.randn(1, 2, 8)], 1), torch.cat([b, 9 * torch.randn(1, 4, 12)], 1)
    out_a, out_b = layer(longer_a, longer_b, a_real=torch.arange(5)[None] < 3, b_real=torch.arange(9)[None] < 5)
    torch.testing.assert_close(out_a[:, :3], layer(a, b)[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out_b[:, :5], layer(a, b)[1], atol=1e-5, rtol=1e-5)


def test_a_stream_that_is_all_padding_gives_nothing() -> None:
    layer = CrossModalAttention(8, 12, heads=2, bias=False)
    a, b = torch.randn(1, 3, 8, requires_grad=True), torch.randn(1, 5, 12)
    out_a, _ = layer(a, b, b_real=torch.zeros(1, 5, dtype=torch.bool))
    assert torch.equal(out_a, a)
    out_a.sum().backward()
    assert a.grad is not None
    assert a.grad.isfinite().all()


def test_what_does_not_fit_is_refused() -> None:
    layer = CrossModalAttention(8, 12, heads=2)
    with pytest.raises(ShapeError, match=r"b_real is \(b, t\)"):
        layer(torch.randn(1, 3, 8), torch.randn(1, 5, 12), b_real=torch.ones(1, 3, dtype=torch.bool))
    with pytest.raises(ShapeError, match="context"):
        layer(torch.randn(1, 3, 8), torch.randn(2, 5, 12))
    with pytest.raises(ShapeError, match="8 heads do not divide a width of 12"):
        CrossModalAttention(8, 12, heads=8)
