"""Makes the tiny model that the tests give to llama-server: random weights, a vocabulary of bytes and a few words.

Run it once with a Python that has `gguf` and `numpy`: `python make_tiny_llama.py FILE.gguf`. With `--slow` it is 50
times larger and takes long answers, so that one of them lasts ten minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gguf  # type: ignore[import-not-found]
import numpy as np  # type: ignore[import-not-found]

_SLOW = "--slow" in sys.argv
_LAYERS, _WIDTH, _HEADS, _INNER, _CONTEXT = (8, 512, 4, 1408, 65536) if _SLOW else (2, 64, 4, 128, 4096)
_WORDS = 512
_LETTERS = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?"
_CHAT = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "


def main(path: Path) -> None:
    """Write the model."""
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_settings(writer)
    _add_vocabulary(writer)
    _add_weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_settings(writer: gguf.GGUFWriter) -> None:
    writer.add_name("tiny-random-llama")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(_WORDS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_chat_template(_CHAT)


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    words = [("<unk>", gguf.TokenType.UNKNOWN, 0.0), ("<s>", control, 0.0), ("</s>", control, 0.0)]
    words += [(f"<0x{byte:02X}>", gguf.TokenType.BYTE, 0.0) for byte in range(256)]
    words += [(letter, normal, -float(place)) for place, letter in enumerate(_LETTERS, 1)]
    words += [(f"▁w{place}", normal, -1000.0 - place) for place in range(len(words), _WORDS)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([word.encode() for word, _, _ in words])
    writer.add_token_scores([score for _, _, score in words])
    writer.add_token_types([kind for _, kind, _ in words])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)


def _add_weights(writer: gguf.GGUFWriter) -> None:
    chance = np.random.default_rng(1)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(f"{name}.weight", (chance.standard_normal(shape) * 0.05).astype(np.float32))

    def add_norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, np.float32))

    add("token_embd", _WORDS, _WIDTH)
    add_norm("output_norm")
    add("output", _WORDS, _WIDTH)
    for layer in range(_LAYERS):
        add_norm(f"blk.{layer}.attn_norm")
        add_norm(f"blk.{layer}.ffn_norm")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}", _WIDTH, _WIDTH)
        add(f"blk.{layer}.ffn_gate", _INNER, _WIDTH)
        add(f"blk.{layer}.ffn_up", _INNER, _WIDTH)
        add(f"blk.{layer}.ffn_down", _WIDTH, _INNER)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
