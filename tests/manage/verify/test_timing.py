from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from heedful.manage.verify.decoding import Reader, held
from heedful.manage.verify.timing import decode, timing, turns
from manage.verify.texts import model_of


def test_three_of_four_rounds_decide_who_is_slower() -> None:
    assert timing("prefill", "ms", [1.0] * 4, [2.0, 2.0, 2.0, 1.1]).slower
    assert not timing("prefill", "ms", [1.0] * 4, [2.0, 2.0, 2.0, 0.9]).slower  # what else the machine did
    assert not timing("prefill", "ms", [1.0] * 4, [2.0, 2.0, 0.9, 0.9]).slower
    assert not timing("prefill", "ms", [1.0] * 4, [1.02] * 4).slower
    found = timing("prefill", "ms", [4.0, 6.0, 8.0], [2.0, 2.0, 2.0])
    assert (found.dense, found.planned, found.gain) == (6.0, 2.0, 3.0)
    assert found.dense_quartiles == (5.0, 7.0)


def test_both_take_turns_and_neither_is_always_first() -> None:
    said: list[str] = []

    @contextmanager
    def planned() -> Iterator[None]:
        said.append("planned")
        yield

    dense, thin = turns(planned, 3, lambda: said.append("warm"), lambda: len(said))
    assert said == ["warm", "planned", "warm", "planned", "warm", "warm", "warm", "planned", "warm"]
    assert (dense, thin) == ([1, 6, 7], [3, 5, 9])


@pytest.mark.parametrize("whose", ["ours", "llama"])
def test_a_reader_continues_as_a_whole_pass_would(whose: str) -> None:
    config = LlamaConfig(vocab_size=23, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
    model = model_of() if whose == "ours" else LlamaForCausalLM(config).eval()
    ids = torch.randint(23, (1, 12))
    with torch.no_grad():
        whole = model(ids).logits
        reader = Reader(model)
        parts = [reader.read(ids[:, :8]), *(reader.read(ids[:, at : at + 1]) for at in range(8, 12))]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-4, rtol=1e-4)
    assert reader.length == 12
    width = 2 * 2 * 12 * (32 if whose == "ours" else 16) * 4  # layers, keys and values, tokens, width, bytes
    assert reader.bytes == width


def test_every_memory_is_counted_once_and_models_are_not_entered() -> None:
    one = torch.zeros(100)
    loop: list[object] = [one, one[10:20], {"a": (one, torch.zeros(10, dtype=torch.int64))}, torch.nn.Linear(50, 50)]
    loop.append(loop)
    assert held(loop) == 480


def test_a_token_a_cache_and_a_pass_are_measured_apart() -> None:
    model = model_of()
    read, token, cache = decode(model, model_free, torch.randint(23, (1, 32)), 2)
    assert (read.name, token.name, cache.name) == ("prefill", "decode", "cache")
    assert len(token.ratios) == 2
    assert cache.dense == cache.planned == 2 * 2 * 32 * 32 * 4


@contextmanager
def model_free() -> Iterator[None]:
    yield
