"""Makes the tiny model that the tests give to vLLM: a tokenizer and a config; the weights are vLLM's dummies.

Run it once with vLLM's own Python, which has the libraries: `python make_tiny_qwen2.py FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # type: ignore[import-not-found]
from transformers import PreTrainedTokenizerFast  # type: ignore[import-not-found]

_END = "<|endoftext|>"
_TEXT = ("the quick brown fox jumps over the lazy dog ", "tokens per second per watt ", "gpu fleet idle capacity ")
_CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def main(folder: Path) -> None:
    """Write the model's folder."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=_trained(), eos_token=_END, pad_token=_END)
    tokenizer.chat_template = _CHAT
    tokenizer.save_pretrained(folder)
    sampling = {"eos_token_id": 0, "bos_token_id": 0, "do_sample": True, "temperature": 1.0}
    (folder / "config.json").write_text(json.dumps(_config(len(tokenizer)), indent=1))
    (folder / "generation_config.json").write_text(json.dumps(sampling))


def _trained() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=[_END, "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([sentence * 20 for sentence in _TEXT], trainer)
    return tokenizer


def _config(vocabulary: int) -> dict[str, object]:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": vocabulary,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "torch_dtype": "float32",
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "attention_dropout": 0.0,
        "use_cache": True,
        "initializer_range": 0.02,
        "use_sliding_window": False,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
