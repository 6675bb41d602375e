"""The peer: tokens/s of one training step (forward, backward, AdamW) of Gecko in PyTorch on the CPU.

    python jobs/peers/pytorch_gecko.py --size S --threads 1 --dtype f32 [--compile] [--sdpa] [--seq 4096] [--reps 3]

Nobody needs this to use gecko: it is what `gecko bench --against` is measured against, given every advantage that PyTorch has. The
scans run as Toeplitz blocks of 64 with the recurrence between blocks, --sdpa takes PyTorch's fused attention, --compile TorchInductor.
bf16 is torch.autocast with the scans and the norms in f32. The last line names the median step's tokens/s, which gecko bench reads,
then the best, tokens per CPU second and peak memory. Needs torch and numpy.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torch
import torch.nn.functional as F

import gecko_ref as ref
from measure import measure, options

SIZES = dict(XS=dict(num_layers=4, model_dim=192, z_dim=96, value_dim=384, ffn_dim=384, chunk_size=128),
             S=dict(num_layers=6, model_dim=512, z_dim=256, value_dim=1024, ffn_dim=1024, chunk_size=512),
             L=dict(num_layers=8, model_dim=1024, z_dim=256, value_dim=2048, ffn_dim=2048, chunk_size=512))

ap = options(__doc__)
ap.add_argument("--sdpa", action="store_true", help="attention by PyTorch's fused kernel")
a = ap.parse_args()
torch.set_num_threads(a.threads)

if a.sdpa:
    def sdpa(q, k_all, v_all, plan):
        outs, ws = [], plan.window_start
        for pc in plan.pieces:
            qs = q[:, pc.a - plan.start:pc.b - plan.start].transpose(1, 2)
            ks = k_all[:, pc.key_start - ws:pc.b - ws].transpose(1, 2)
            vs = v_all[:, pc.key_start - ws:pc.b - ws].transpose(1, 2)
            outs.append(F.scaled_dot_product_attention(qs, ks, vs, attn_mask=pc.visible[:, None], scale=1.0).transpose(1, 2))
        return torch.cat(outs, 1)
    ref.sliding_chunk_attention = sdpa

cfg = ref.GeckoConfig(num_heads=4, cema_ndim=16, vocab_size=a.vocab, norm_groups=32, **SIZES[a.size])
gen = torch.Generator().manual_seed(0)
P = {k: v.requires_grad_() for k, v in ref.init_params(cfg, gen, torch.float32, 0.02).items()}
opt = torch.optim.AdamW([{"params": [p for n, p in P.items() if ref.is_matrix(n)], "weight_decay": 0.1},
                         {"params": [p for n, p in P.items() if not ref.is_matrix(n)], "weight_decay": 0.0}],
                        lr=1e-3, betas=(0.9, 0.95), fused=True)
tok = torch.randint(0, cfg.vocab_size, (1, a.seq + 1), generator=gen)
how = ref.Methods("block", 64, "block", 64)

if a.dtype == "bf16":                     # the scans stay in f32, as the reference training keeps them
    def f32(fn):
        def run(*args, **kw):
            with torch.autocast("cpu", enabled=False):
                return fn(*[t.float() if torch.is_tensor(t) and t.dtype == torch.bfloat16 else t for t in args], **kw)
        return run
    ref.timestep_decay_norm, ref.complex_ema = f32(ref.timestep_decay_norm), f32(ref.complex_ema)


def loss_of(tokens):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
        logits, _ = ref.gecko_model(P, cfg, tokens[:, :-1], None, False, how)
    return ref.cross_entropy(logits.float(), tokens[:, 1:])


measure(f"gecko {a.size}, sdpa {a.sdpa}", a, list(P.values()), opt, loss_of, tok)
