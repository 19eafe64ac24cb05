"""Write a tiny random Llama as GGUF, for a real llama.cpp server to serve. usage: make_tiny_gguf.py OUT.gguf

Runs in the server's own environment, which has gguf and numpy. Its vocabulary is the 256 bytes in GPT-2's spelling.
"""

import sys

import gguf
import numpy as np

HIDDEN, INNER, LAYERS, HEADS, KV_HEADS = 64, 128, 2, 4, 2
HEAD = HIDDEN // HEADS


def byte_tokens():
    """Each byte as the printable character that GPT-2's tokenizer spells it with."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    spelling = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [spelling[byte] for byte in range(256)]


def describe(writer, tokens):
    writer.add_name("tiny")
    writer.add_context_length(2048)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * 256)
    writer.add_token_merges([f"{tokens[66]} {tokens[67]}"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}")


def weight_shapes(vocabulary_size):
    """Each random tensor's shape, rows first, by its name without `.weight`."""
    shapes = {
        "token_embd": (vocabulary_size, HIDDEN),
        "output": (vocabulary_size, HIDDEN),
    }
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_q": (HIDDEN, HIDDEN),
            f"blk.{layer}.attn_k": (HEAD * KV_HEADS, HIDDEN),
            f"blk.{layer}.attn_v": (HEAD * KV_HEADS, HIDDEN),
            f"blk.{layer}.attn_output": (HIDDEN, HIDDEN),
            f"blk.{layer}.ffn_gate": (INNER, HIDDEN),
            f"blk.{layer}.ffn_up": (INNER, HIDDEN),
            f"blk.{layer}.ffn_down": (HIDDEN, INNER),
        }
    return shapes


def main(out):
    tokens = ["<s>", "</s>", *byte_tokens()]
    writer = gguf.GGUFWriter(out, "llama")
    describe(writer, tokens)
    norms = ["output_norm", *(f"blk.{n}.{name}" for n in range(LAYERS) for name in ("attn_norm", "ffn_norm"))]
    for name in norms:
        writer.add_tensor(f"{name}.weight", np.ones(HIDDEN, np.float32))
    random = np.random.default_rng(7)
    for name, shape in weight_shapes(len(tokens)).items():
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.05, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
