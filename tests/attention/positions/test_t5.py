"""T5's buckets and bias against Hugging Face's."""

from __future__ import annotations

import pytest
import torch
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

from heedful.attention.positions.t5 import bucket
from heedful.errors import ShapeError, UsageError
from heedful.positions import T5RelativeBias


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 20), (4, 5), (64, 1000)])
def test_buckets_equal_hugging_face(bidirectional: bool, buckets: int, max_distance: int) -> None:
    ahead = torch.arange(-3000, 3001)[None]
    expected = T5Attention._relative_position_bucket(ahead, bidirectional, buckets, max_distance)
    assert torch.equal(bucket(ahead, buckets, max_distance, bidirectional), expected)


@pytest.mark.parametrize("decoder", [True, False])
def test_bias_equals_hugging_face_with_the_same_weights(decoder: bool) -> None:
    config = T5Config(d_model=32, num_heads=4, d_kv=8, is_decoder=decoder)
    theirs = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    ours = T5RelativeBias(heads=4, bidirectional=not decoder)
    ours.load_state_dict(theirs.relative_attention_bias.state_dict())
    expected = theirs.compute_bias(7, 20, past_seen_tokens=13)
    torch.testing.assert_close(ours.bias(4, torch.arange(13, 20), torch.arange(20))[None], expected, rtol=0, atol=0)


def test_gradient_reaches_the_buckets_in_use() -> None:
    position = T5RelativeBias(heads=2, buckets=8, max_distance=16)
    position.bias(2, torch.arange(3), torch.arange(3)).sum().backward()
    assert position.weight.grad is not None
    assert position.weight.grad[:, 0].tolist() == [6.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"buckets": 1}, "2 or more"),
        ({"buckets": 7, "bidirectional": True}, "an even number from 4"),
        ({"buckets": 32, "max_distance": 16}, "32 buckets reach 16 one by one"),
    ],
)
def test_impossible_buckets_are_refused(options: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        T5RelativeBias(heads=2, **options)


def test_another_number_of_heads_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"T5RelativeBias\(heads=2\) was asked for the bias of 3 heads"):
        T5RelativeBias(heads=2).bias(3, torch.arange(2), torch.arange(2))
