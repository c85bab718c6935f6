"""Text to numbers and back: characters, bytes, words, byte pairs."""

from heedful.data.tokens.table import (
    TOKENIZERS,
    load_tokenizer,
    save_tokenizer,
    tokenizer_from,
    tokenizer_state,
    train_tokenizer,
)
from heedful.data.tokens.tokenizer import Stream, Tokenizer

__all__ = [
    "TOKENIZERS",
    "Stream",
    "Tokenizer",
    "load_tokenizer",
    "save_tokenizer",
    "tokenizer_from",
    "tokenizer_state",
    "train_tokenizer",
]
