from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save, save_file
from torch import nn

from heedful.errors import CheckpointError
from heedful.models.checkpoint import KEY, Checkpoint, load_checkpoint, read, restore, save_checkpoint
from heedful.spec import DecoderSpec, ModelSpec, RecurrentSpec, RunSpec

SPEC = RunSpec(model=DecoderSpec(vocabulary=5, width=4, heads=2, layers=1, context=8))
TOKENIZER = {"version": 1, "kind": "char", "alphabet": "abcde", "size": 5}


class Tied(nn.Module):
    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.embed = nn.Embedding(spec.vocabulary, 4)
        self.out = nn.Linear(4, spec.vocabulary, bias=False)
        self.out.weight = self.embed.weight
        self.register_buffer("steps", torch.tensor(3))
        self.empty = nn.Parameter(torch.zeros(0, 4))


def saved(path: Path, checkpoint: Checkpoint | None = None) -> Tied:
    model = Tied(SPEC.model)
    save_checkpoint(path, checkpoint or Checkpoint(model.state_dict(), SPEC, TOKENIZER, step=7, notes={"validation": 1.5}))
    return model


def rewritten(path: Path, **changes: object) -> None:
    """The same file with other fields in its header."""
    header, tensors = read(path)
    path.write_bytes(save(tensors, metadata={KEY: json.dumps(header | changes)}))


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model = saved(path)
    again, checkpoint = restore(path, Tied, kind="transformer")
    assert checkpoint.spec == SPEC
    assert checkpoint.tokenizer == TOKENIZER
    assert (checkpoint.step, checkpoint.notes) == (7, {"validation": 1.5})
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert again.out.weight is again.embed.weight


def test_tied_weights_are_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    assert set(load(path.read_bytes())) == {"embed.weight", "steps", "empty"}
    assert set(load_checkpoint(path).tensors) == {"embed.weight", "out.weight", "steps", "empty"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64, torch.bool])
def test_every_dtype_and_layout_comes_back(dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensor = (torch.arange(12).reshape(3, 4) % 2).to(dtype).T
    saved(path, Checkpoint({"x": tensor, "view": tensor[1:]}, SPEC, TOKENIZER))
    again = load_checkpoint(path).tensors
    assert again["x"].dtype == dtype
    assert torch.equal(again["x"], tensor)
    assert torch.equal(again["view"], tensor[1:])


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 200, 0.5, -1])
def test_a_file_cut_short_is_refused(kept: float, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(CheckpointError, match="cut short or no checkpoint") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_an_altered_tensor_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match="altered"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 99}, "checkpoint version 99, this Heedful reads up to 1: upgrade Heedful"),
        ({"version": None}, "checkpoint version None"),
        ({"spec": {"version": 99}}, "its spec cannot be used: version: version 99 is newer"),
        ({"spec": {"model": {"wdth": 4}}}, "its spec cannot be used: model.wdth: unknown field: did you mean 'width'?"),
        ({"spec": 3}, "its spec cannot be used"),
        ({"aliases": {"out.weight": "gone"}}, "not a whole checkpoint"),
        ({"tokenizer": None}, "not a whole checkpoint"),
        ({"tokenizer": TOKENIZER | {"size": 6}}, "the vocabulary does not fit: the tokenizer has 6 tokens, the model 5"),
    ],
)
def test_a_header_that_does_not_fit_is_one_clear_line(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    rewritten(path, **changes)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    with pytest.raises(CheckpointError, match="holds a transformer model, a recurrent one was asked for"):
        load_checkpoint(path, kind="recurrent")
    other = replace(SPEC, model=RecurrentSpec(vocabulary=5))
    saved(path, Checkpoint(Tied(other.model).state_dict(), other, TOKENIZER))
    assert load_checkpoint(path, kind="recurrent").spec == other


def test_a_model_of_other_shapes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    saved(path)
    with pytest.raises(CheckpointError, match=r"missing 0\.weight, not wanted embed\.weight, empty, out\.weight and 1 more"):
        restore(path, lambda spec: nn.Sequential(nn.Linear(2, 2, bias=False)))
    with pytest.raises(CheckpointError, match=r"embed\.weight has shape \(5, 4\), the model wants \(6, 4\)"):
        restore(path, lambda spec: Tied(DecoderSpec(vocabulary=6)))


def test_safetensors_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="not written by Heedful"):
        load_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match=str(path)):
            load_checkpoint(path)


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from heedful.errors import HeedfulError

    path = tmp_path / "a.safetensors"
    saved(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(HeedfulError, match="No space left on device"):
        saved(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
