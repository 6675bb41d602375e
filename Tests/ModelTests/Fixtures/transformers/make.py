"""Makes the folders beside it: tiny Llamas as the transformers library saves them, and the logits that it gives.

    pip install torch transformers safetensors
    python Tests/ModelTests/Fixtures/transformers/make.py

untied   float32 in one file, grouped key heads, another rope_theta and rms_norm_eps than the library's defaults
tied     bfloat16 in several files with an index, tied embeddings, as many key heads as heads
half     float16 in several files, one key head for all
NAME-logits.safetensors   tokens [2, 24] and the logits [2, 24, V] of the folder's model, loaded and run in float32
"""

import pathlib
import shutil

import torch
import transformers
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
# Bytes, and one mark: what text takes.
VOCABULARY = 257

MODELS = {
    "untied": dict(
        shape=dict(num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=3e-5, tie_word_embeddings=False,
                   rope_parameters={"rope_type": "default", "rope_theta": 500000.0}),
        dtype=torch.float32, shard="1GB"),
    "tied": dict(
        shape=dict(num_attention_heads=2, num_key_value_heads=2, rms_norm_eps=1e-6, tie_word_embeddings=True),
        dtype=torch.bfloat16, shard="8KB"),
    "half": dict(
        shape=dict(num_attention_heads=4, num_key_value_heads=1, rms_norm_eps=1e-5, tie_word_embeddings=False),
        dtype=torch.float16, shard="12KB"),
}


def make(name, shape, dtype, shard):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, max_position_embeddings=64,
        **shape)
    model = transformers.LlamaForCausalLM(config)
    generator = torch.Generator().manual_seed(sum(name.encode()))
    with torch.no_grad():
        for key, value in model.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            # Norms far enough from 1, others large enough, for every part to show in the logits.
            value.copy_(1 + 0.3 * noise if "norm" in key else noise * (0.9 if "embed" in key else 0.3))
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    loaded = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    tokens = torch.randint(VOCABULARY, (2, 24), generator=generator)
    with torch.no_grad():
        logits = loaded(tokens).logits
    save_file({"tokens": tokens.to(torch.int32), "logits": logits.contiguous()}, HERE / f"{name}-logits.safetensors")


for name, model in MODELS.items():
    make(name, **model)
