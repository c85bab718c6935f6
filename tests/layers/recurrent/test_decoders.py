"""Both recurrent decoders: their recurrence written out, and step after step equal to teacher forcing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from heedful.errors import ShapeError, UsageError
from heedful.layers.recurrent import BahdanauDecoder, Decoded, LuongDecoder

KINDS: list[tuple[type[BahdanauDecoder] | type[LuongDecoder], dict[str, Any]]] = [
    (BahdanauDecoder, {}),
    (BahdanauDecoder, {"cell": "lstm", "layers": 2, "score": "general"}),
    (BahdanauDecoder, {"score": "per_channel"}),
    (LuongDecoder, {}),
    (LuongDecoder, {"cell": "gru", "score": "concat", "units": 5}),
    (LuongDecoder, {"feeding": True, "layers": 2}),
    (LuongDecoder, {"feeding": True, "cell": "gru", "score": "additive"}),
]


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    real = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    return torch.randn(2, 4, 3, dtype=torch.float64), torch.randn(2, 6, 5, dtype=torch.float64), real


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=str)
def test_steps_equal_teacher_forcing(kind: Any, options: dict[str, Any]) -> None:
    decoder, (x, memory, real) = kind(3, 8, 5, **options).double(), inputs()
    whole: Decoded = decoder(x, memory, real=real)
    state, steps = None, []
    for each in x.unbind(1):
        steps.append(decoder.step(each, memory, state, real=real))
        state = steps[-1].state
    for name in ("out", "context", "weights"):
        found = torch.cat([{"out": s.out, "context": s.context, "weights": s.weights}[name] for s in steps], dim=1)
        torch.testing.assert_close(found, {"out": whole.out, "context": whole.context, "weights": whole.weights}[name], rtol=0, atol=1e-12)
    later = decoder(x, memory, whole.state, real=real)
    torch.testing.assert_close(decoder.step(x[:, 0], memory, state, real=real).out, later.out[:, :1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=str)
def test_padding_of_the_memory_changes_nothing_and_gradients_reach_everything(kind: Any, options: dict[str, Any]) -> None:
    decoder, (x, memory, real) = kind(3, 8, 5, **options).double(), inputs()
    whole = decoder(x, memory, real=real)
    alone = decoder(x[1:], memory[1:, :4])
    torch.testing.assert_close(whole.out[1:], alone.out, rtol=0, atol=1e-12)
    assert not whole.weights[1, :, 4:].any()
    torch.testing.assert_close(whole.weights.sum(2), torch.ones_like(whole.weights.sum(2)), rtol=0, atol=1e-12)
    whole.out.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in decoder.parameters() if p.requires_grad)


@pytest.mark.parametrize(("kind", "options"), KINDS, ids=str)
def test_beams_continue_the_rows_they_were_given(kind: Any, options: dict[str, Any]) -> None:
    decoder, (x, memory, _) = kind(3, 8, 5, **options).double(), inputs()
    index = torch.tensor([1, 1, 0])
    state = decoder(x[:, :2], memory).state.reorder(index)
    torch.testing.assert_close(decoder(x[index, 2:], memory[index], state).out, decoder(x, memory).out[index, 2:], rtol=0, atol=1e-12)


def test_the_previous_state_is_bahdanaus_query() -> None:
    decoder, (x, memory, _) = BahdanauDecoder(3, 8, 5).double(), inputs()
    cell = nn.GRUCell(8, 8).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in decoder.rnn.state_dict().items()})
    s, outs = torch.zeros(2, 8, dtype=torch.float64), []
    for each in x.unbind(1):
        context, _ = decoder.reader(s[:, None], memory)
        s = cell(torch.cat([each, context[:, 0]], dim=-1), s)
        outs.append(s)
    torch.testing.assert_close(decoder(x, memory).out, torch.stack(outs, 1), rtol=0, atol=1e-12)


def test_the_current_state_is_luongs_query_and_the_output_is_fed_back() -> None:
    decoder, (x, memory, _) = LuongDecoder(3, 8, 5, feeding=True).double(), inputs()
    cell = nn.LSTMCell(11, 8).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in decoder.rnn.state_dict().items()})
    h, c, fed = (torch.zeros(2, 8, dtype=torch.float64) for _ in range(3))
    outs = []
    for each in x.unbind(1):
        h, c = cell(torch.cat([each, fed], dim=-1), (h, c))
        context, _ = decoder.reader(h[:, None], memory)
        fed = torch.tanh(torch.cat([context[:, 0], h], dim=-1) @ decoder.mix.weight.T)
        outs.append(fed)
    torch.testing.assert_close(decoder(x, memory).out, torch.stack(outs, 1), rtol=0, atol=1e-12)


def test_what_does_not_fit_is_refused() -> None:
    decoder, (x, memory, _) = LuongDecoder(3, 8, 5), inputs()
    with pytest.raises(ShapeError, match=r"inputs \(b, q, n\) of one step or more with n = 3"):
        decoder(x[:, :0].float(), memory.float())
    with pytest.raises(ShapeError, match=r"inputs \(b, n\) with n = 3: found \(2, 4, 3\)"):
        decoder.step(x.float(), memory.float())
    with pytest.raises(UsageError, match="unknown cell 'rnn'"):
        BahdanauDecoder(3, 8, 5, cell="rnn")  # type: ignore[arg-type]
