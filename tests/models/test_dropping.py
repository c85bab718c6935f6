"""Tokens dropped in an encoder: later layers really read fewer, padding changes nothing, and who is attended to most stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from heedful.attention.masks.padding import Padding
from heedful.errors import UsageError
from heedful.models.dropping import Left, dropped, received
from heedful.models.encoder import Encoder
from heedful.spec.classifier import EncoderSpec
from heedful.spec.dropping import DroppingSpec
from heedful.spec.plain import build, plain

SPEC = EncoderSpec(vocabulary=11, labels=("no", "yes"), context=16, width=16, layers=3, heads=4)


def encoder(dropping: DroppingSpec | None) -> Encoder:
    made = Encoder(replace(SPEC, dropping=dropping)).eval()
    for weight in made.parameters():
        weight.data.add_(0.2 * torch.randn_like(weight))
    return made


def test_what_keys_receive_is_the_columns_of_the_weights() -> None:
    made, x = encoder(None), torch.randn(2, 6, 16)
    attention = made.layers[0].attention
    mask = Padding(torch.tensor([6, 4]))
    exact, trace = attention(x, mask=mask, trace=True)
    with received(attention) as found:
        out = attention(x, mask=mask)
    torch.testing.assert_close(out, exact, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found[0], trace.weights.sum((1, 2)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("keep", [0.3, 0.5, 1.0])
def test_later_layers_read_a_shorter_text_and_padding_changes_nothing(keep: float) -> None:
    made = encoder(DroppingSpec(after=(1, 2), keep=keep))
    ids, lengths = torch.randint(1, 11, (3, 12)), torch.tensor([12, 7, 1])
    read: list[int] = []
    handles = [layer.register_forward_hook(lambda module, inputs, output: read.append(output.shape[1])) for layer in made.layers]
    with torch.no_grad():
        together = made(ids, lengths=lengths)
        for handle in handles:
            handle.remove()
        for row, length in enumerate(lengths.tolist()):
            alone = made(ids[row : row + 1, :length])
            torch.testing.assert_close(together.logits[row : row + 1], alone.logits, atol=1e-5, rtol=1e-4)
    expected = {0.3: [12, 4, 2], 0.5: [12, 6, 3], 1.0: [12, 12, 12]}
    assert read == expected[keep]
    assert together.pooled is not None
    assert together.pooled.shape == (3, 12)


def test_a_model_that_keeps_all_is_the_model_without_dropping() -> None:
    made = encoder(DroppingSpec(after=(1,), keep=1.0))
    plain_model = Encoder(SPEC).eval()
    plain_model.load_state_dict(made.state_dict())
    ids, lengths = torch.randint(1, 11, (2, 9)), torch.tensor([9, 5])
    torch.testing.assert_close(made(ids, lengths=lengths).logits, plain_model(ids, lengths=lengths).logits, atol=1e-6, rtol=1e-5)
    made(ids, lengths=lengths, labels=torch.tensor([0, 1])).loss.backward()
    assert all(weight.grad is not None for weight in made.parameters())


def test_the_most_attended_stay_in_their_order_and_go_back_to_their_places() -> None:
    x = torch.arange(1.0, 11.0).view(2, 5, 1)
    attention: Tensor = torch.tensor([[0.1, 0.9, 0.2, 0.8, 0.7], [0.5, 0.1, 0.6, 9.0, 9.0]])
    real = torch.tensor([[True] * 5, [True, True, True, False, False]])
    left = dropped(x, attention, real, 0.6, torch.arange(5).expand(2, -1))
    assert left.lengths.tolist() == [3, 2]
    assert left.x[0].flatten().tolist() == [2.0, 4.0, 5.0]
    assert left.x[1, :2].flatten().tolist() == [6.0, 8.0]
    whole = Left(-left.x, left.lengths, left.places).back(x)
    assert whole.flatten().tolist() == [1.0, -2.0, 3.0, -4.0, -5.0, -6.0, 7.0, -8.0, 9.0, 10.0]


def test_the_spec_reads_back_and_refuses_what_drops_nothing() -> None:
    spec = replace(SPEC, dropping=DroppingSpec((1,), 0.5))
    assert build(EncoderSpec, plain(spec)) == spec
    for after, keep in (((3,), 0.5), ((1,), 0.0), ((), 0.5), ((2, 1), 0.5)):
        with pytest.raises(UsageError):
            replace(SPEC, dropping=DroppingSpec(after, keep))
