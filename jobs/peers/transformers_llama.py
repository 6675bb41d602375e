"""The peer: tokens/s of one training step (forward, backward, AdamW) of the transformers library's Llama on the CPU.

    python jobs/peers/transformers_llama.py --size S --threads 1 --dtype f32 [--compile] [--seq 4096] [--reps 3]

LlamaForCausalLM with PyTorch's fused attention and fused AdamW, without dropout and cache. Sizes are those of
`gecko bench --model.architecture llama`; bf16 is torch.autocast. The last line names the median step's tokens/s. Needs torch, numpy and transformers.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torch
import torch.nn.functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from measure import measure, options

# D, F, layers, heads
SIZES = dict(XS=(192, 632, 4, 4), S=(512, 1648, 6, 8), L=(1024, 3184, 8, 16))

a = options(__doc__).parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
width, hidden, layers, heads = SIZES[a.size]
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=a.vocab, hidden_size=width, intermediate_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
    max_position_embeddings=a.seq, rms_norm_eps=1e-5, use_cache=False, tie_word_embeddings=False, attn_implementation="sdpa"))
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)


def loss_of(tokens):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
        logits = model(tokens[:, :-1]).logits
    return F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


measure(f"transformers llama {a.size}", a, list(model.parameters()), optimizer, loss_of, torch.randint(0, a.vocab, (1, a.seq + 1)))
