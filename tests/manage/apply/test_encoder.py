"""Encoders under plans: windows look both ways, padding stays out."""

from __future__ import annotations

import torch

from heedful.manage.simulate import simulated
from heedful.models.encoder import Encoder
from heedful.spec import EncoderSpec
from manage.apply.models import as_planned, assignment

ROW = ["window(9,2)", "full", "drop", "blocks(8,0)"]


def test_encoders_are_as_simulated():
    spec = EncoderSpec(vocabulary=50, labels=("no", "yes"), context=64, width=32, layers=2, heads=4)
    model = Encoder(spec).eval().double()
    for parameter in model.parameters():
        parameter.data.mul_(3.0)
    ids, lengths = torch.randint(1, 50, (3, 60)), torch.tensor([60, 41, 7])
    with torch.no_grad():
        with simulated(model, assignment([ROW, ROW])):
            wanted = model(ids, lengths=lengths).logits
        with as_planned(model, [ROW, ROW]):
            torch.testing.assert_close(model(ids, lengths=lengths).logits, wanted, atol=1e-9, rtol=0)
            assert (model(ids[1:2, :41]).logits - wanted[1:2]).abs().max() < 1e-9
