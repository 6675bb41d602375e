"""The peer: tokens/s of one training step (forward, backward, AdamW) of Gecko in PyTorch on the CPU.

    python jobs/bench/pytorch_gecko.py --size S --threads 1 --dtype f32 [--compile] [--sdpa] [--seq 4096] [--reps 3]

Nobody needs this to use gecko: it is what `gecko bench --against` is measured against, given every advantage that PyTorch has. The
scans run as Toeplitz blocks of 64 with the recurrence between blocks, --sdpa takes PyTorch's fused attention, --compile TorchInductor.
bf16 is torch.autocast with the scans and the norms in f32. The last line names the median step's tokens/s, which gecko bench reads,
then the best, tokens per CPU second and peak memory. Needs torch and numpy.
"""
import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torch
import torch.nn.functional as F

import gecko_ref as ref

SIZES = dict(XS=dict(num_layers=4, model_dim=192, z_dim=96, value_dim=384, ffn_dim=384, chunk_size=128),
             S=dict(num_layers=6, model_dim=512, z_dim=256, value_dim=1024, ffn_dim=1024, chunk_size=512),
             L=dict(num_layers=8, model_dim=1024, z_dim=256, value_dim=2048, ffn_dim=2048, chunk_size=512))

ap = argparse.ArgumentParser()
ap.add_argument("--size", choices=SIZES, default="S")
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
ap.add_argument("--seq", type=int, default=4096)
ap.add_argument("--vocab", type=int, default=256)
ap.add_argument("--reps", type=int, default=3)
ap.add_argument("--sdpa", action="store_true")
ap.add_argument("--compile", action="store_true")
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


if a.compile:
    loss_of = torch.compile(loss_of)


def step():
    opt.zero_grad(set_to_none=True)
    loss = loss_of(tok)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(P.values(), 1.0)
    opt.step()
    return loss.item()


step()
times, cpu = [], []
for _ in range(a.reps):
    t0, c0 = time.perf_counter(), time.process_time()
    step()
    times.append(time.perf_counter() - t0)
    cpu.append(time.process_time() - c0)
med, best = statistics.median(times), min(times)
print(f"torch {torch.__version__}, size {a.size}, {a.dtype}, threads {a.threads}, sdpa {a.sdpa}, compile {a.compile}: "
      f"{a.seq / med:.2f} tokens/s (median of {a.reps} steps of {med:.2f} s; best {a.seq / best:.2f}, "
      f"{a.seq / min(cpu):.2f} per CPU second), peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB, "
      f"{sum(p.numel() for p in P.values())} parameters")
