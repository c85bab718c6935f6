"""Beside kvpress: one model, the same share of the cache kept; prefill, decoding, bytes and loss.

    python benchmarks/beside_kvpress.py examples/long-8k.safetensors --length 4096 --keep 0.5,0.25

kvpress 0.5.5 wants transformers below 5.3, and the manager 5.23 or later, so the same command runs twice: in Heedful's
environment it measures plans, in one with kvpress ('transformers<5.3', kvpress, and Heedful's sources on PYTHONPATH) presses. The model is
the run's, written as a Llama of transformers with equal logits (checked first), so that both serve the same weights, and each
run has the dense model in it. Test text is read up to `length`, the cache is cut, and the 256 tokens that follow are scored one by one from
what is left. A share of c is c of the keys of every layer (kvpress) or c of the bytes (a plan); plans are made on validation text.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from heedful.manage.verify.decoding import held
from heedful.models.decoder import Decoder
from heedful.tasks.loading import Loaded, load

AHEAD = 256


@dataclass
class Row:
    """What one way of keeping came to."""

    name: str
    prefill: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    mib: float = 0.0
    nats: list[float] = field(default_factory=list)

    def line(self, dense: Row) -> str:
        """Milliseconds, MiB, and nats a token beside the whole cache's."""
        lost = statistics.fmean(self.nats) - statistics.fmean(dense.nats)
        return (
            f"| {self.name} | {statistics.median(self.prefill):.0f} | {statistics.median(self.step):.2f} | {self.mib:.1f} "
            f"| {statistics.fmean(self.nats):.4f} | {lost:+.4f} |"
        )


def as_llama(model: Decoder) -> LlamaForCausalLM:
    """The same model in transformers."""
    spec = model.spec
    base = float(spec.attention.position.options.get("base", 10000.0))
    config = LlamaConfig(
        vocab_size=spec.vocabulary,
        hidden_size=spec.width,
        intermediate_size=spec.inner,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        num_key_value_heads=spec.groups,
        head_dim=spec.d,
        max_position_embeddings=spec.context,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": base},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    ours, theirs = model.state_dict(), {}
    for i in range(spec.layers):
        a, b = f"layers.{i}.", f"model.layers.{i}."
        q, k, v = ours[a + "attention.in_proj_weight"].split([spec.heads * spec.d, spec.groups * spec.d, spec.groups * spec.d])
        gate, up = ours[a + "feed.up.weight"].chunk(2)
        theirs |= {b + "self_attn.q_proj.weight": q, b + "self_attn.k_proj.weight": k, b + "self_attn.v_proj.weight": v}
        theirs |= {b + "self_attn.o_proj.weight": ours[a + "attention.out_proj.weight"]}
        theirs |= {b + "mlp.gate_proj.weight": gate, b + "mlp.up_proj.weight": up, b + "mlp.down_proj.weight": ours[a + "feed.down.weight"]}
        theirs |= {b + "input_layernorm.weight": ours[a + "attention_norm.weight"]}
        theirs |= {b + "post_attention_layernorm.weight": ours[a + "feed_norm.weight"]}
    theirs |= {"model.embed_tokens.weight": ours["embedding.weight"], "model.norm.weight": ours["norm.weight"]}
    made = LlamaForCausalLM(config).eval()
    missing, extra = made.load_state_dict(theirs, strict=False)
    assert set(missing) <= {"lm_head.weight"}, missing
    assert not extra, extra
    made.tie_weights()
    return made


@torch.no_grad()
def follow(model: LlamaForCausalLM, ids: Tensor, length: int, within: AbstractContextManager, row: Row) -> None:
    """Read the text up to `length` inside `within`, then score what follows a token at a time."""
    started = time.perf_counter()
    with within:
        out = model(ids[:, :length], use_cache=True, logits_to_keep=1)
    row.prefill.append(1e3 * (time.perf_counter() - started))
    row.mib = held(out.past_key_values) / 2**20
    for t in range(length, ids.shape[1] - 1):
        row.nats.append(float(cross_entropy(out.logits[0, -1:].float(), ids[0, t : t + 1])))
        started = time.perf_counter()
        out = model(ids[:, t : t + 1], past_key_values=out.past_key_values, use_cache=True, position_ids=torch.tensor([[t]]))
        row.step.append(1e3 * (time.perf_counter() - started))


def texts(loaded: Loaded, part: str, length: int, count: int) -> list[Tensor]:
    """Rows of `length` tokens, evenly spaced over a part of the run's own text."""
    ids = loaded.tokenizer.encode(loaded.corpus().part(part))
    step = (len(ids) - length) // count
    return [ids[i * step : i * step + length][None] for i in range(count)]


def presses(keep: float) -> Iterator[tuple[str, object]]:
    """kvpress's, at a compression that leaves `keep`."""
    from kvpress import AdaKVPress, ExpectedAttentionPress, KnormPress, SnapKVPress, StreamingLLMPress

    cut = 1.0 - keep
    yield "StreamingLLM", StreamingLLMPress(cut)
    yield "Knorm", KnormPress(cut)
    yield "SnapKV", SnapKVPress(cut)
    yield "ExpectedAttention", ExpectedAttentionPress(cut)
    yield "AdaKV(SnapKV), by heads", AdaKVPress(SnapKVPress(cut))


def pressed(model: LlamaForCausalLM, rows: list[Tensor], length: int, keep: float) -> Iterator[Row]:
    """A row for each press."""
    for name, press in presses(keep):
        row = Row(f"kvpress {name} {keep:.0%}")
        for ids in rows:
            follow(model, ids, length, press(model), row)
        yield row


def planned(model: LlamaForCausalLM, calibration: list[Tensor], rows: list[Tensor], length: int, keep: float) -> Iterator[Row]:
    """A row for a plan of so many bytes."""
    import heedful

    batches = [{"input_ids": ids} for ids in calibration]
    profile = heedful.profile(model, batches, phase="decode", prefill=length)
    plan = heedful.plan(profile, heedful.Budget(bytes=keep, length=length, phase="decode"), model=model, batches=batches)
    row = Row(f"heedful, plan of {keep:.0%} of the bytes")
    with heedful.applied(model, plan, dense_below=0):
        for ids in rows:
            follow(model, ids, length, nullcontext(), row)
    print(f"  {plan.options}, chosen by {plan.estimator}")
    yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--keep", default="0.5,0.25")
    parser.add_argument("--texts", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    loaded = load(asked.run)
    assert isinstance(loaded.model, Decoder)
    model = as_llama(loaded.model)
    rows = texts(loaded, "test", asked.length + AHEAD, asked.texts)
    with torch.no_grad():
        torch.testing.assert_close(model(rows[0][:, :512]).logits, loaded.model(rows[0][:, :512]).logits, atol=1e-3, rtol=1e-3)
    print("| what | prefill ms | ms a token | MiB | nats a token | more than dense |\n|---|---|---|---|---|---|")
    dense = Row("dense")
    follow(model, rows[0][:, : asked.length + 8], asked.length, nullcontext(), Row("to warm up"))
    for ids in rows:
        follow(model, ids, asked.length, nullcontext(), dense)
    print(dense.line(dense))
    theirs = importlib.util.find_spec("kvpress") is not None
    for keep in map(float, asked.keep.split(",")):
        found = (
            pressed(model, rows, asked.length, keep)
            if theirs
            else planned(model, texts(loaded, "validation", asked.length + AHEAD, 4), rows, asked.length, keep)
        )
        for row in found:
            print(row.line(dense), flush=True)


if __name__ == "__main__":
    main()
