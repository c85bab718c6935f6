"""The machine: what a time depends on, so that times measured elsewhere are not taken for this one's."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from heedful.version import __version__

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Processor, threads, torch, accelerator, and the version of our kernels.

    >>> found = fingerprint()
    >>> found.torch == torch.__version__ and found.threads == torch.get_num_threads()
    True
    """

    processor: str
    threads: int
    torch: str
    device: str
    kernels: str

    def __str__(self) -> str:
        device = "" if self.device == "cpu" else f", {self.device}"
        return f"{self.processor}, {self.threads} threads{device}, torch {self.torch}, heedful {self.kernels}"


def fingerprint(device: str = "cpu") -> Fingerprint:
    """Of this machine, as this process uses it."""
    accelerator = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return Fingerprint(processor(), torch.get_num_threads(), torch.__version__, accelerator, __version__)


def processor() -> str:
    """The processor's name with its family, model and widest matrix instructions, by which times differ."""
    if not CPUINFO.exists():
        return platform.processor() or platform.machine()
    said: dict[str, str] = {}
    for line in CPUINFO.read_text().splitlines():
        name, _, value = line.partition(":")
        said.setdefault(name.strip(), value.strip())
    name = said.get("model name") or platform.machine()
    flags = said.get("flags", "").split()
    widest = next((label for flag, label in WIDEST if flag in flags), "")
    number = f" {said['cpu family']}/{said['model']}" if "model" in said and "cpu family" in said else ""
    return f"{name}{number}{widest}"


WIDEST = (("amx_bf16", " with AMX"), ("avx512f", " with AVX-512"), ("avx2", " with AVX2"))
