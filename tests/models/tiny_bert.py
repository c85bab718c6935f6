"""A Hugging Face encoder of a few thousand weights with its tokenizer, made on the spot."""

from __future__ import annotations

from pathlib import Path

WORDS = ("the", "film", "was", "fine", "lovely", "great", "warm", "bright", "dull", "cold", "poor", "awful", "grey", "and", "no", "a")
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def save_tiny_bert(folder: Path) -> Path:
    """Write the model and its tokenizer, and give the folder back."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(3)
    ids = {word: i for i, word in enumerate((*MARKS, *WORDS, *"0123456789", *(f"##{digit}" for digit in "0123456789")))}
    engine = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=engine, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
    )
    config = BertConfig(
        vocab_size=len(ids),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
