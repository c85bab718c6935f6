"""Attention around recurrent networks: decoders that read a memory (`BahdanauDecoder`, `LuongDecoder`) and the past (`PastAttention`)."""

from heedful.layers.recurrent.bahdanau import BahdanauDecoder
from heedful.layers.recurrent.luong import LuongDecoder
from heedful.layers.recurrent.past import PastAttention
from heedful.layers.recurrent.reader import Reader
from heedful.layers.recurrent.state import Decoded, DecoderState

__all__ = ["BahdanauDecoder", "Decoded", "DecoderState", "LuongDecoder", "PastAttention", "Reader"]
