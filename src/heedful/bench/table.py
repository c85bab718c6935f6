"""The rows of `heedful bench`, in their order."""

from __future__ import annotations

from heedful.bench.rows.biases import biases
from heedful.bench.rows.choice import choice
from heedful.bench.rows.decode import decode
from heedful.bench.rows.full import half, single
from heedful.bench.rows.growth import growth
from heedful.bench.rows.layer import layer
from heedful.bench.rows.looks import looks
from heedful.bench.rows.patterns import patterns
from heedful.bench.rows.predictions import predictions
from heedful.bench.rows.row import Row
from heedful.bench.rows.window import window

ROWS: tuple[Row, ...] = (
    Row("half", "full attention in bfloat16", half),
    Row("single", "full and causal attention in float32", single),
    Row("window", "a causal window of 256 keys", window),
    Row("growth", "the window over 8k, 32k and 128k keys, time and memory", growth),
    Row("patterns", "sinks and window, BigBird, packed documents", patterns),
    Row("biases", "ALiBi and T5's bias", biases),
    Row("looks", "weights of two heads, streamed summaries", looks),
    Row("decode", "one token against a cache", decode),
    Row("layer", "a layer of 8 heads, width 512", layer),
    Row("choice", "what auto chooses against the best backend", choice),
    Row("predictions", "predicted against measured times", predictions),
)
