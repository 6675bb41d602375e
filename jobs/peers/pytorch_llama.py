"""The peer: tokens/s of one training step (forward, backward, AdamW) of Llama 2 in PyTorch on the CPU.

    python jobs/peers/pytorch_llama.py --size S --threads 1 --dtype f32 [--compile] [--seq 4096] [--reps 3]

What PyTorch has to offer: its fused attention, its fused AdamW, one matrix for queries, keys and values and one for both halves of the gated
feed-forward network. Sizes are those of `gecko bench --model.architecture llama`; bf16 is torch.autocast. The last line names the median step's
tokens/s. Needs torch and numpy.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torch
import torch.nn.functional as F
from torch import nn

from measure import measure, options

# D, F, layers, heads
SIZES = dict(XS=(192, 632, 4, 4), S=(512, 1648, 6, 8), L=(1024, 3184, 8, 16))


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, 1e-5)


class Layer(nn.Module):
    def __init__(self, width, hidden, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.ffn_norm = RMSNorm(width), RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.gates = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x, turn):
        n, length, width = x.shape
        heads = lambda y: y.view(n, length, self.heads, -1).transpose(1, 2)
        q, k, v = map(heads, self.qkv(self.attention_norm(x)).chunk(3, -1))
        seen = F.scaled_dot_product_attention(rotate(q, turn), rotate(k, turn), v, is_causal=True)
        x = x + self.output(seen.transpose(1, 2).reshape(n, length, width))
        gate, up = self.gates(self.ffn_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self, vocabulary, width, hidden, layers, heads, length):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(Layer(width, hidden, heads) for _ in range(layers))
        self.norm, self.output = RMSNorm(width), nn.Linear(width, vocabulary, bias=False)
        dim = width // heads
        angles = torch.outer(torch.arange(length, dtype=torch.double), 1e4 ** (-torch.arange(0, dim, 2, dtype=torch.double) / dim))
        self.register_buffer("cosine", angles.cos().float())
        self.register_buffer("sine", angles.sin().float())

    def forward(self, tokens):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, (self.cosine, self.sine))
        return self.output(self.norm(x))


def rotate(x, turn):
    """Turns the pairs of features (2j, 2j + 1)."""
    cosine, sine = turn
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cosine - b * sine, a * sine + b * cosine), -1).flatten(-2).to(x.dtype)


a = options(__doc__).parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
model = Llama(a.vocab, *SIZES[a.size], a.seq)
matrices = [p for p in model.parameters() if p.dim() > 1]
vectors = [p for p in model.parameters() if p.dim() == 1]
optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
                              lr=1e-3, betas=(0.9, 0.95), fused=True)


def loss_of(tokens):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
        logits = model(tokens[:, :-1])
    return F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


measure(f"llama {a.size}", a, list(model.parameters()), optimizer, loss_of, torch.randint(0, a.vocab, (1, a.seq + 1)))
