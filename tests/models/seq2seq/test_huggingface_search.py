"""The same weights in a Hugging Face model of the same shape (Pegasus: norms before each branch): the same logits, the same texts found."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("transformers")

from heedful.models.seq2seq.search import beam_search
from heedful.models.seq2seq.transformer import Transformer
from heedful.spec import AttentionSpec, MechanismSpec
from heedful.spec.search import Search
from heedful.spec.seq2seq import Seq2SeqSpec
from models.seq2seq.pegasus import as_pegasus


@pytest.fixture
def ours() -> Transformer:
    places = AttentionSpec(position=MechanismSpec("sinusoidal"))
    spec = Seq2SeqSpec(vocabulary=13, context=16, width=16, layers=2, heads=4, mlp_width=32, dropout=0.0, attention=places)
    model = Transformer(spec).eval()
    for weight in model.parameters():
        weight.data.add_(0.4 * torch.randn_like(weight))
    return model


def test_logits_and_beams_are_theirs(ours: Transformer) -> None:
    theirs = as_pegasus(ours)
    source, lengths = torch.tensor([[1, 2, 3, 4, 13], [5, 6, 7, 13, 13]]), torch.tensor([5, 4])
    real = torch.arange(5) < lengths[:, None]
    ids = torch.tensor([[13, 8, 9], [13, 1, 2]])
    with torch.no_grad():
        wanted = theirs(input_ids=source, attention_mask=real.long(), decoder_input_ids=ids).logits
        found = ours(source, lengths, ids).logits
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=2e-5)  # float32: some 200 roundings at values of order one
    for beams, penalty in ((1, 1.0), (4, 1.0), (3, 0.0)):
        knobs = {"num_beams": beams, "length_penalty": penalty, "max_new_tokens": 10, "do_sample": False, "early_stopping": False}
        texts = theirs.generate(input_ids=source, attention_mask=real.long(), **knobs)
        mine = beam_search(ours, source, lengths, 10, Search(beams=beams, length_penalty=penalty))
        for row in range(2):
            said = texts[row, 1:].tolist()
            assert mine[row][0].ids == (said[: said.index(13)] if 13 in said else said)
