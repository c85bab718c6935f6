"""One step over heads that hold different numbers of keys: what the library does is what the formula says."""

from __future__ import annotations

import pytest
import torch

from heedful.attention.native import ragged
from heedful.attention.native.ragged import Held, Reader, Turning, stepped, table
from heedful.attention.positions.rope import RoPE

pytestmark = pytest.mark.skipif(isinstance(ragged.door(), str), reason="there is no compiled library here")

B, D, V, LENGTH = 2, 24, 20, 300
BOUNDS = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 2e-2, torch.float16: 2e-3}
# pinned, ring, room, kept of the first 100 tokens (0: all of them), query heads that read it as (heads, sinks, window)
KINDS = (
    (0, 0, 400, 0, ((1, 0, 0),)),
    (4, 60, 64, 0, ((2, 0, 0), (1, 2, 30))),
    (0, 7, 7, 0, ((1, 0, 0),)),
    (0, 0, 400, 13, ((3, 0, 0),)),
    (0, 0, 400, 0, ((1, 5, 50), (1, 0, 200))),
)


def slot_of(token: int, pinned: int, ring: int) -> int:
    return token if token < pinned or not ring else pinned + (token - pinned) % ring


def case(dtype: torch.dtype):
    """Every key and value there has been, the buffers that hold some of them (NaN elsewhere), and who reads what."""
    g, h = len(KINDS), sum(heads for *_, readers in KINDS for heads, _, _ in readers)
    k, v = torch.randn(B, g, LENGTH + 1, D, dtype=dtype), torch.randn(B, g, LENGTH + 1, V, dtype=dtype)
    q = torch.randn(B, h, 1, D, dtype=dtype)
    buffers, entries, seen = [], [[] for _ in range(B)], torch.zeros(h, LENGTH + 1, dtype=torch.bool)
    at = 0
    for key, (pinned, ring, room, kept, readers) in enumerate(KINDS):
        held_k, held_v = (x.new_full((B, room, x.shape[3]), torch.nan) for x in (k, v))
        shift = kept - 100 if kept else 0
        places = [*range(0, 100, 8), *range(100, LENGTH)] if kept else list(range(LENGTH))
        for token, place in enumerate(places):
            held_k[:, slot_of(token, pinned, ring)], held_v[:, slot_of(token, pinned, ring)] = k[:, key, place], v[:, key, place]
        buffers += [held_k, held_v]
        for number, (heads, sinks, window) in enumerate(readers):
            for row in range(B):
                place = held_k[row].data_ptr(), held_v[row].data_ptr(), pinned, ring, shift
                entries[row].append(Reader(*place, at, heads, key, sinks, window, writes=number == 0))
            allowed = torch.zeros(LENGTH + 1, dtype=torch.bool)
            allowed[places] = allowed[LENGTH] = True
            newest, first = (window, sinks) if window else (ring or LENGTH + 1, pinned)
            allowed &= (torch.arange(LENGTH + 1) > LENGTH - newest) | (torch.arange(LENGTH + 1) < first)
            seen[at : at + heads] = allowed
            at += heads
    reads = [key for key, (*_, readers) in enumerate(KINDS) for heads, _, _ in readers for _ in range(heads)]
    listed = [entry for row in entries for entry in row]
    return q, k, v, buffers, Held(table(listed), len(entries[0]), LENGTH), seen, reads


def formula(q, k, v, seen, reads, scale, softcap, sinks):
    """As written, in float64."""
    k, v = k[:, reads].double(), v[:, reads].double()
    scores = q.double() @ k.mT * scale
    scores = scores if softcap is None else softcap * torch.tanh(scores / softcap)
    scores = scores.masked_fill(~seen[:, None], -torch.inf)
    if sinks is not None:
        scores = torch.cat([scores, sinks.view(1, -1, 1, 1).expand(B, -1, 1, 1)], dim=-1)
    return (scores.softmax(-1)[..., : k.shape[2]] @ v)[:, :, 0]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_equals_the_formula(dtype, threads):
    torch.set_num_threads(threads)
    q, k, v, buffers, held, seen, reads = case(dtype)
    wanted = formula(q, k, v, seen, reads, 0.3, None, None)
    found = stepped(q, k[:, :, -1:], v[:, :, -1:], held, 0.3)
    assert (found.double() - wanted).abs().max() < BOUNDS[dtype]
    assert torch.equal(buffers[0][:, LENGTH], k[:, 0, -1])
    assert torch.equal(buffers[3][:, slot_of(LENGTH, 4, 60)], v[:, 1, -1])


def test_softcap_sinks_and_a_factor_of_each_head():
    q, k, v, _, held, seen, reads = case(torch.float64)
    sinks, factor = torch.randn(q.shape[1], dtype=torch.float64), torch.rand(q.shape[1], dtype=torch.float64)
    wanted = formula(q, k, v, seen, reads, factor[:, None, None], 2.0, sinks)
    found = stepped(q, k[:, :, -1:], v[:, :, -1:], held, 1.0, 2.0, sinks, factor)
    assert (found - wanted).abs().max() < 1e-12


@pytest.mark.parametrize("rope", [RoPE(), RoPE(interleaved=True), RoPE(fraction=0.5)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_turns_what_is_new(rope, dtype):
    q, k, v, buffers, held, seen, reads = case(dtype)
    cosine, sine = rope.angles(torch.arange(LENGTH + 1), D, torch.promote_types(dtype, torch.float32))
    turning = Turning(cosine.contiguous(), sine.contiguous(), rope.interleaved)
    place = torch.tensor([LENGTH])
    turned_q, turned_k = rope.rotate(q, place), torch.cat([k[:, :, :-1], rope.rotate(k[:, :, -1:], place)], dim=2)
    wanted = formula(turned_q, turned_k, v, seen, reads, 0.3, None, None)
    found = stepped(q, k[:, :, -1:], v[:, :, -1:], held, 0.3, turning=turning)
    assert (found.double() - wanted).abs().max() < BOUNDS[dtype]
    torch.testing.assert_close(buffers[0][:, LENGTH], turned_k[:, 0, -1])
