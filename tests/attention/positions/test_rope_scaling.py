"""Each scaling against the function of the same name in Hugging Face transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from heedful.attention.positions.scaling import as_scaling
from heedful.errors import UsageError
from heedful.positions import LinearScaling, Llama3Scaling, NTKScaling, RoPE, Scaling, YaRNScaling

L3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
CASES = [
    ("linear", {"factor": 3.0}, LinearScaling(3.0), None),
    ("dynamic", {"factor": 3.0}, NTKScaling(4.0), 4096),
    ("llama3", {"factor": 8.0, **L3}, Llama3Scaling(8.0, original_length=8192), None),
    ("llama3", {"factor": 2.0, **L3, "high_freq_factor": 2.0}, Llama3Scaling(2.0, 8192, high=2.0), None),
    ("yarn", {"factor": 4.0, "original_max_position_embeddings": 2048}, YaRNScaling(4.0, 2048), None),
    ("yarn", {"factor": 40.0, "original_max_position_embeddings": 64, "beta_fast": 8.0}, YaRNScaling(40.0, 64, beta_fast=8.0), None),
    (
        "yarn",
        {"factor": 4.0, "original_max_position_embeddings": 2048, "truncate": False, "attention_factor": 1.7},
        YaRNScaling(4.0, 2048, truncate=False, attention_factor=1.7),
        None,
    ),
]


@pytest.mark.parametrize("base", [10000.0, 500000.0])
@pytest.mark.parametrize(("kind", "parameters", "scaling", "length"), CASES)
def test_equals_hugging_face(kind: str, parameters: dict[str, Any], scaling: Scaling, length: int | None, base: float) -> None:
    config = LlamaConfig(
        hidden_size=256,
        num_attention_heads=4,
        max_position_embeddings=2048,
        rope_parameters={"rope_type": kind, "rope_theta": base, **parameters},
    )
    frequencies, amplitude = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=length)
    rope = RoPE(d=64, base=base, scaling=scaling)
    torch.testing.assert_close(rope.frequencies(64, torch.device("cpu"), torch.float32), frequencies, rtol=2e-6, atol=0)
    assert scaling.amplitude == pytest.approx(amplitude)
    cos, sin = rope.angles(torch.arange(3), 64, torch.float32)
    torch.testing.assert_close(cos.square() + sin.square(), torch.full((3, 32), amplitude**2), rtol=1e-5, atol=0)


def test_ntk_keeps_the_fastest_and_divides_the_slowest() -> None:
    cpu = torch.device("cpu")
    plain = RoPE().frequencies(16, cpu, torch.float64)
    stretched = RoPE(scaling=NTKScaling(5.0)).frequencies(16, cpu, torch.float64)
    torch.testing.assert_close(stretched[[0, -1]], plain[[0, -1]] / torch.tensor([1.0, 5.0], dtype=torch.float64))


def test_a_number_or_a_mapping_names_a_scaling() -> None:
    assert RoPE(scaling=2.0).scaling == as_scaling(2) == LinearScaling(2.0)
    assert RoPE(scaling={"name": "llama3", "factor": 8.0, "original_length": 8192}).scaling == Llama3Scaling(8.0, 8192)


@pytest.mark.parametrize(
    ("scaling", "says"),
    [
        ({"name": "yarm", "factor": 2.0}, "did you mean 'yarn'"),
        ({"factor": 2.0}, "unknown RoPE scaling None"),
        ({"name": "linear", "facter": 2.0}, "did you mean 'factor'"),
        ({"name": "yarn", "factor": 2.0}, "was given factor: original_length would complete it"),
        ("yarn", "was given scaling='yarn': a factor, or a mapping"),
        (0.0, "scaling factor 0.0: above 0"),
    ],
)
def test_what_is_not_a_scaling_is_refused(scaling: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        as_scaling(scaling)
