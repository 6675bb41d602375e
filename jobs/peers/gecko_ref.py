"""Gecko: an independent PyTorch CPU reference.

Purpose: correctness.  Everything is plain differentiable torch, generic in the
real dtype (float64 by default), functional (a flat dict of parameters), and
carries an explicit `State` so that one stream of tokens may be processed in any
number of calls of any length.  State tensors stay in the autograd graph unless
`State.detach()` is called, so back-propagation through chunk boundaries is exact.

Letters used for shapes
    B batch      L tokens in this call        C chunk size
    D model_dim  Z z_dim (all heads)  E value_dim (all heads)  F ffn_dim
    H heads      dz = Z/H             dv = E/H                 V vocabulary
    G norm groups of the timestep norm        N cema_ndim (<=16 in the CUDA code)
    n keys held in the attention window (0 .. 2C-1)

Layouts are time-major inside a row: activations [B, L, D]; per-head tensors
[B, L, H, dh]; the working memory [B, H, dz, dv].  Complex quantities of a public
interface are real tensors whose last axis is (re, im); their gradient is
(dLoss/dre, dLoss/dim).

Rule of positions (everything below follows from it)
    token i of the stream is in chunk  c = i // C
    sliding attention : i sees j  iff  (c-1)*C <= j <= i          (and same document)
    working memory    : i reads a memory that has absorbed chunks 0 .. c-2
    absorption        : chunk c-1 is absorbed at the instant chunk c is complete
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

Params = Dict[str, Tensor]


# --------------------------------------------------------------------------
# configuration
# --------------------------------------------------------------------------
@dataclass(frozen=True)
class GeckoConfig:
    num_layers: int
    model_dim: int
    z_dim: int
    value_dim: int
    num_heads: int
    ffn_dim: int
    cema_ndim: int
    chunk_size: int
    vocab_size: int
    norm_groups: int                      # groups of every timestep decay norm
    num_rope_heads: Optional[int] = None  # None = all heads
    beta1: float = 0.999
    beta2: float = 0.9999
    ln_groups: int = 1                    # groups of the RMS norm and the layer norm
    eps: float = 1e-5
    rope_base: float = 500000.0
    norm_affine: bool = True
    swiglu: bool = True
    two_hop_residual: bool = False
    rescale_nffn: bool = False
    scale_emb: bool = False
    share_emb: bool = False
    bos_id: int = 1                       # used only with packed=True

    @property
    def rope_heads(self) -> int:
        return self.num_heads if self.num_rope_heads is None else self.num_rope_heads

    @property
    def dz(self) -> int:
        return self.z_dim // self.num_heads

    @property
    def dv(self) -> int:
        return self.value_dim // self.num_heads


# --------------------------------------------------------------------------
# state
# --------------------------------------------------------------------------
@dataclass
class NormState:
    """Timestep decay norm.  count [B] int64, mean [B,G], var [B,G] (uncorrected EMAs)."""
    count: Tensor
    mean: Tensor
    var: Tensor


@dataclass
class LayerState:
    norm: NormState
    cema_h: Tensor    # [B, D, N, 2]
    sca_k: Tensor     # [B, n, H, dz]   sliding attention keys, already rotated
    awm_k: Tensor     # [B, n, H, dz]   working memory keys (never rotated)
    v: Tensor         # [B, n, H, dv]   values, shared by both
    memory: Tensor    # [B, H, dz, dv]  zero when empty
    lognorm: Tensor   # [B, H, dz]      -inf when empty


@dataclass
class State:
    """Everything a stream needs to go on after `position` tokens.

    The window holds the tokens from max(0, (position//C - 1)*C) to position:
    the whole previous chunk and the unfinished one.
    """
    position: int
    layers: List[LayerState]
    final_norm: NormState
    segments: Tensor         # [B, n] int64: document number of every token in the window
    memory_segment: Tensor   # [B] int64: document the memory belongs to, -1 = empty
    last_segment: Tensor     # [B] int64: document number of the latest token (0 before any)

    def named_tensors(self) -> Dict[str, Tensor]:
        out: Dict[str, Tensor] = {}
        for i, s in enumerate(self.layers):
            p = f"layers.{i}."
            out[p + "norm_count"], out[p + "norm_mean"], out[p + "norm_var"] = s.norm.count, s.norm.mean, s.norm.var
            for k in ("cema_h", "sca_k", "awm_k", "v", "memory", "lognorm"):
                out[p + k] = getattr(s, k)
        f = self.final_norm
        out["final_norm_count"], out["final_norm_mean"], out["final_norm_var"] = f.count, f.mean, f.var
        out["segments"], out["memory_segment"], out["last_segment"] = self.segments, self.memory_segment, self.last_segment
        return out

    def map(self, fn) -> "State":
        """Apply fn to every real tensor (not to counts and segment numbers)."""
        nm = lambda s: NormState(s.count, fn(s.mean), fn(s.var))
        ls = [LayerState(nm(s.norm), fn(s.cema_h), fn(s.sca_k), fn(s.awm_k), fn(s.v), fn(s.memory), fn(s.lognorm))
              for s in self.layers]
        return State(self.position, ls, nm(self.final_norm), self.segments, self.memory_segment, self.last_segment)

    def detach(self) -> "State":
        return self.map(lambda t: t.detach())


def initial_layer_state(cfg: GeckoConfig, batch: int, dtype=torch.float64) -> LayerState:
    z = lambda *s: torch.zeros(*s, dtype=dtype)
    H = cfg.num_heads
    return LayerState(
        norm=initial_norm_state(cfg, batch, dtype),
        cema_h=z(batch, cfg.model_dim, cfg.cema_ndim, 2),
        sca_k=z(batch, 0, H, cfg.dz), awm_k=z(batch, 0, H, cfg.dz), v=z(batch, 0, H, cfg.dv),
        memory=z(batch, H, cfg.dz, cfg.dv),
        lognorm=torch.full((batch, H, cfg.dz), -math.inf, dtype=dtype))


def initial_norm_state(cfg: GeckoConfig, batch: int, dtype=torch.float64) -> NormState:
    return NormState(torch.zeros(batch, dtype=torch.int64),
                     torch.zeros(batch, cfg.norm_groups, dtype=dtype),
                     torch.zeros(batch, cfg.norm_groups, dtype=dtype))


def initial_state(cfg: GeckoConfig, batch: int, dtype=torch.float64) -> State:
    return State(0, [initial_layer_state(cfg, batch, dtype) for _ in range(cfg.num_layers)],
                 initial_norm_state(cfg, batch, dtype),
                 torch.zeros(batch, 0, dtype=torch.int64),
                 torch.full((batch,), -1, dtype=torch.int64),
                 torch.zeros(batch, dtype=torch.int64))


# --------------------------------------------------------------------------
# timestep decay norm
# --------------------------------------------------------------------------
def norm_counts(prev_count: Tensor, length: int, bos: Optional[Tensor]) -> Tensor:
    """Tokens of the current document seen up to and including each t.  [B, L] int64.

    A bos token starts again at 1, whatever came before.
    """
    t = torch.arange(length)
    carried = prev_count[:, None] + t[None, :] + 1
    if bos is None:
        return carried
    last = torch.where(bos, t[None, :], torch.full_like(t, -1)[None, :]).cummax(dim=1).values
    return torch.where(last < 0, carried, t[None, :] - last + 1)


def _ema(u: Tensor, carry: Tensor, beta: float, bos: Optional[Tensor], method: str, block: int) -> Tensor:
    """m_t = beta*m_{t-1} + (1-beta)*u_t with m_{t-1} := 0 where bos_t.  u [B,L,G], carry [B,G]."""
    B, L, G = u.shape
    if method == "loop":
        m, out = carry, []
        for t in range(L):
            if bos is not None:
                m = torch.where(bos[:, t, None], torch.zeros_like(m), m)
            m = beta * m + (1.0 - beta) * u[:, t]
            out.append(m)
        return torch.stack(out, 1)
    # the same recurrence, one block of tokens at a time, as a triangular matrix
    out, m = [], carry
    for a in range(0, L, block):
        x = u[:, a:a + block]
        T = x.shape[1]
        i = torch.arange(T, dtype=u.dtype)
        lag = i[:, None] - i[None, :]
        A = torch.where(lag >= 0, (1.0 - beta) * beta ** lag.clamp(min=0), torch.zeros_like(lag))  # [T,T]
        w = (beta ** (i + 1.0))                                                                    # [T]
        if bos is None:
            y = torch.matmul(A, x) + w[None, :, None] * m[:, None, :]
        else:
            c = bos[:, a:a + block].cumsum(1)                             # resets so far in the block
            same = c[:, :, None] == c[:, None, :]
            y = torch.matmul(A * same, x) + (w * (c == 0))[:, :, None] * m[:, None, :]
        out.append(y)
        m = y[:, -1]
    return torch.cat(out, 1)


def timestep_decay_norm(x: Tensor, weight: Tensor, bias: Tensor, groups: int, beta1: float, beta2: float,
                        eps: float, state: NormState, bos: Optional[Tensor] = None,
                        method: str = "block", block: int = 64) -> Tuple[Tensor, NormState]:
    """x [B,L,D] -> y [B,L,D].

    Per token and group: mean u and biased variance s over the D/G features of the
    group at this token only.  Each is smoothed in time (beta1 for u, beta2 for s),
    divided by 1 - beta**count, and used to normalise:
        y = (x - mhat) / sqrt(vhat + eps) * (1 + weight) + bias
    """
    B, L, D = x.shape
    xg = x.view(B, L, groups, D // groups)
    u = xg.mean(-1)                                              # [B,L,G]
    s = (xg - u[..., None]).square().mean(-1)                    # [B,L,G]
    cnt = norm_counts(state.count, L, bos)                       # [B,L]
    mean = _ema(u, state.mean, beta1, bos, method, block)
    var = _ema(s, state.var, beta2, bos, method, block)
    # 1 - beta**count in double precision, without cancellation
    c = cnt.to(torch.float64)
    corr1 = (-torch.expm1(c * math.log(beta1))).to(x.dtype)[..., None]
    corr2 = (-torch.expm1(c * math.log(beta2))).to(x.dtype)[..., None]
    mhat = mean / corr1
    rstd = torch.rsqrt(var / corr2 + eps)
    y = ((xg - mhat[..., None]) * rstd[..., None]).reshape(B, L, D) * (weight + 1.0) + bias
    return y, NormState(cnt[:, -1].clone(), mean[:, -1], var[:, -1])


# --------------------------------------------------------------------------
# complex exponential moving average
# --------------------------------------------------------------------------
def cema_coefficients(alpha: Tensor, delta: Tensor, theta: Tensor, gamma: Tensor):
    """alpha, delta [D,N]; theta [D]; gamma [D,N,2]  ->  p real [D,N], q complex [D,N], gamma complex [D,N].

        a = sigmoid(alpha)   d = sigmoid(delta)   phi_n = 2*pi/N * n * sigmoid(theta),  n = 1..N
        p = a                q = (1 - a*d) * exp(i*phi_n)
    """
    N = alpha.shape[1]
    a, d = torch.sigmoid(alpha), torch.sigmoid(delta)
    n = torch.arange(1, N + 1, dtype=alpha.dtype)
    phi = (2.0 * math.pi / N) * torch.sigmoid(theta)[:, None] * n
    r = 1.0 - a * d
    return a, torch.complex(r * torch.cos(phi), r * torch.sin(phi)), torch.view_as_complex(gamma.contiguous())


def complex_ema(x: Tensor, p: Tensor, q: Tensor, gamma: Tensor, h0: Tensor, bos: Optional[Tensor] = None,
                method: str = "loop", block: int = 64) -> Tuple[Tensor, Tensor]:
    """x [B,L,D], h0 [B,D,N,2] -> y [B,L,D] (without the residual), h_L [B,D,N,2].

        h_t = (0 if bos_t else q*h_{t-1}) + p*x_t        y_t = Re sum_n gamma_n h_{t,n}

    method "loop"  : the recurrence, literally.
           "block" : tokens in blocks of `block`; inside a block a triangular Toeplitz
                     matrix of the impulse response, between blocks the recurrence.
           "fft"   : as "block" but the inside by a causal FFT convolution
                     (block=0: a single block of the whole call, the Megalodon way).
    Packed input (bos given) always uses the loop.
    """
    B, L, D = x.shape
    h = torch.view_as_complex(h0.contiguous())
    if method == "loop" or bos is not None:
        ys = []
        for t in range(L):
            if bos is not None:
                h = torch.where(bos[:, t, None, None], torch.zeros_like(h), h)
            h = q * h + p * x[:, t, :, None]
            ys.append((gamma * h).real.sum(-1))
        return torch.stack(ys, 1), torch.view_as_real(h)
    xt = x.transpose(1, 2)                                       # [B,D,L]
    T = L if block <= 0 else min(block, L)
    full = L // T * T
    y1, h = _cema_blocks(xt[:, :, :full], p, q, gamma, h, T, method)
    if full == L:
        y = y1
    else:
        y2, h = _cema_blocks(xt[:, :, full:], p, q, gamma, h, L - full, method)
        y = torch.cat([y1, y2], -1)
    return y.transpose(1, 2), torch.view_as_real(h)


def _cema_blocks(x: Tensor, p: Tensor, q: Tensor, gamma: Tensor, h: Tensor, T: int, method: str):
    """x [B,D,K*T]; h complex [B,D,N] entering.  Returns y [B,D,K*T], h leaving."""
    B, D, LL = x.shape
    N, K = p.shape[1], LL // T
    tau = torch.arange(T + 1, dtype=p.dtype)
    qp = torch.exp(torch.log(q)[..., None] * tau)                # q**0 .. q**T  [D,N,T+1]
    gp = gamma[..., None] * qp                                   # gamma*q**tau
    kern = (p[..., None] * gp[..., :T].real).sum(1)              # impulse response [D,T]
    X = x.reshape(B, D, K, T)
    if method == "fft":
        n = 2 * T
        inside = torch.fft.irfft(torch.fft.rfft(X, n=n) * torch.fft.rfft(kern, n=n)[None, :, None], n=n)[..., :T]
    else:
        lag = torch.arange(T)[:, None] - torch.arange(T)[None, :]
        toep = kern[:, lag.clamp(min=0)] * (lag >= 0).to(p.dtype)                  # [D,T,T]
        inside = torch.einsum("dts,bdks->bdkt", toep, X)
    # what each block adds to the state: sum_s q**(T-1-s) p x_s
    inj = torch.view_as_real((p[..., None] * qp[..., :T]).flip(-1))                # [D,N,T,2]
    add = torch.view_as_complex(torch.einsum("dnsc,bdks->bdknc", inj, X).contiguous())
    qT, entering = qp[..., T], []
    for k in range(K):
        entering.append(h)
        h = qT * h + add[:, :, k]
    Hk = torch.view_as_real(torch.stack(entering, 2))                              # [B,D,K,N,2]
    g1 = gp[..., 1:]                                                               # gamma*q**(t+1)
    out = torch.stack([g1.real, -g1.imag], -1)                                     # [D,N,T,2]
    carried = torch.einsum("dntc,bdknc->bdkt", out, Hk)
    return (inside + carried).reshape(B, D, LL), h


# --------------------------------------------------------------------------
# normalisations over features
# --------------------------------------------------------------------------
def group_rms_norm(x: Tensor, weight: Optional[Tensor], groups: int, eps: float) -> Tensor:
    """x * rsqrt(mean_group(x**2) + eps) [* (1 + weight)].  x [..., D]."""
    xg = x.reshape(*x.shape[:-1], groups, -1)
    y = (xg * torch.rsqrt(xg.square().mean(-1, keepdim=True) + eps)).reshape(x.shape)
    return y if weight is None else y * (weight + 1.0)


def group_layer_norm(x: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], groups: int, eps: float) -> Tensor:
    """(x - mean) * rsqrt(var + eps) [* (1 + weight) + bias], biased variance per group.  x [..., D]."""
    xg = x.reshape(*x.shape[:-1], groups, -1)
    xc = xg - xg.mean(-1, keepdim=True)
    y = (xc * torch.rsqrt(xc.square().mean(-1, keepdim=True) + eps)).reshape(x.shape)
    return y if weight is None else y * (weight + 1.0) + bias


# --------------------------------------------------------------------------
# rotary embedding
# --------------------------------------------------------------------------
def rotary(x: Tensor, first_position: int, rope_heads: int, base: float) -> Tensor:
    """x [B,L,H,dz]: rotates the pairs (x[2j], x[2j+1]) of the first `rope_heads` heads by
    position * base**(-2j/dz); the other heads pass unchanged.  Positions count from the start
    of the stream and do not restart at bos.  Angles are taken in float64 always."""
    if rope_heads == 0:
        return x
    B, L, H, dz = x.shape
    pos = torch.arange(first_position, first_position + L, dtype=torch.float64)
    freq = float(base) ** (-torch.arange(0, dz, 2, dtype=torch.float64) / dz)
    ang = pos[:, None] * freq
    cos, sin = torch.cos(ang).to(x.dtype)[:, None], torch.sin(ang).to(x.dtype)[:, None]   # [L,1,dz/2]
    r = x[:, :, :rope_heads]
    e, o = r[..., 0::2], r[..., 1::2]
    rot = torch.stack([e * cos - o * sin, e * sin + o * cos], -1).flatten(-2)
    return torch.cat([rot, x[:, :, rope_heads:]], 2)


# --------------------------------------------------------------------------
# the plan: how one call is cut at chunk boundaries, with every mask
# --------------------------------------------------------------------------
@dataclass
class Piece:
    """Tokens a..b (absolute, within one chunk).  All index ranges are absolute positions."""
    a: int
    b: int
    key_start: int                     # keys are key_start..b
    visible: Tensor                    # [1 or B, b-a, b-key_start] bool
    may_read: Optional[Tensor]         # [B, b-a] bool, None = all
    absorb: bool                       # the chunk completes: absorb chunk (b/C - 2)*C .. b - C
    keep: Optional[Tensor] = None      # [B, C] bool: absorbed keys that count, None = all
    wipe: Optional[Tensor] = None      # [B] bool: empty the memory first, None = never


@dataclass
class Plan:
    start: int
    length: int
    window_start: int                  # absolute position of the first key held in the incoming window
    pieces: List[Piece]
    new_window_start: int
    bos: Optional[Tensor]              # [B, L] bool or None
    segments: Tensor                   # new window's segment numbers
    memory_segment: Tensor
    last_segment: Tensor


def window_start_at(position: int, C: int) -> int:
    return max(0, (position // C - 1) * C)


def make_plan(cfg_chunk: int, position: int, length: int, window_segments: Tensor, memory_segment: Tensor,
              last_segment: Tensor, bos: Optional[Tensor]) -> Plan:
    """Cuts `length` tokens following `position` at chunk boundaries and works out the document masks.

    Document rule (bos given): documents are numbered by the running count of bos tokens.
      attention  a token sees only keys of its own document;
      absorption only keys of the document of the chunk's last token count;
      ownership  after absorption the memory belongs to that document; if it belonged to
                 another one it is emptied (memory 0, lognorm -inf) first;
      reading    a token reads the memory only if the memory belongs to its document, else 0.
    """
    C, ws = cfg_chunk, window_start_at(position, cfg_chunk)
    B, n = window_segments.shape
    assert n == position - ws, "window does not match the position"
    seg = None
    if bos is not None:
        seg = last_segment[:, None] + bos.to(torch.int64).cumsum(1)
        allseg = torch.cat([window_segments, seg], 1)
    else:
        allseg = torch.cat([window_segments, last_segment[:, None].expand(B, length)], 1)
    pieces: List[Piece] = []
    owner, a, end = memory_segment, position, position + length
    while a < end:
        b = min(end, (a // C + 1) * C)
        c = a // C
        ks = max(0, (c - 1) * C)
        i, j = torch.arange(a, b), torch.arange(ks, b)
        vis = (j[None, :] <= i[:, None])[None]
        may_read = None
        if bos is not None:
            sq, sk = allseg[:, a - ws:b - ws], allseg[:, ks - ws:b - ws]
            vis = vis & (sq[:, :, None] == sk[:, None, :])
            may_read = sq == owner[:, None]
        pc = Piece(a, b, ks, vis, may_read, absorb=(b % C == 0 and c >= 1))
        if pc.absorb and bos is not None:
            sp = allseg[:, b - 2 * C - ws:b - C - ws]
            new_owner = sp[:, -1]
            pc.keep = sp == new_owner[:, None]
            pc.wipe = owner != new_owner
            owner = new_owner
        elif pc.absorb:
            owner = allseg[:, b - C - 1 - ws]
        pieces.append(pc)
        a = b
    nws = window_start_at(end, C)
    return Plan(position, length, ws, pieces, nws, bos, allseg[:, nws - ws:], owner, allseg[:, -1])


# --------------------------------------------------------------------------
# sliding chunk attention
# --------------------------------------------------------------------------
def sliding_chunk_attention(q: Tensor, k_all: Tensor, v_all: Tensor, plan: Plan) -> Tensor:
    """q [B,L,H,dz]; k_all [B,n+L,H,dz], v_all [B,n+L,H,dv] start at plan.window_start.  -> [B,L,H,dv].

    Softmax of q.k without any further scale (q and k are already scaled by 1/sqrt(dz) each).
    """
    outs, ws = [], plan.window_start
    for pc in plan.pieces:
        qs = q[:, pc.a - plan.start:pc.b - plan.start]
        ks, vs = k_all[:, pc.key_start - ws:pc.b - ws], v_all[:, pc.key_start - ws:pc.b - ws]
        score = torch.matmul(qs.transpose(1, 2), ks.permute(0, 2, 3, 1))            # [B,H,m,n]
        w = torch.softmax(score.masked_fill(~pc.visible[:, None], -math.inf), -1)
        outs.append(torch.matmul(w, vs.transpose(1, 2)).transpose(1, 2))
    return torch.cat(outs, 1)


# --------------------------------------------------------------------------
# adaptive working memory
# --------------------------------------------------------------------------
def awm_read(q: Tensor, memory: Tensor) -> Tensor:
    """softmax over the features of each query, times the memory.  q [B,m,H,dz] -> [B,m,H,dv]."""
    return torch.matmul(torch.softmax(q, -1).transpose(1, 2), memory).transpose(1, 2)


def awm_absorb(memory: Tensor, lognorm: Tensor, k: Tensor, v: Tensor,
               keep: Optional[Tensor] = None, wipe: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
    """Absorb one chunk.  memory [B,H,dz,dv], lognorm [B,H,dz], k [B,C,H,dz], v [B,C,H,dv].

        read key    R = softmax of k over features      [C, dz]
        write key   W = softmax of k over the C tokens  [dz, C]   (only kept tokens)
        s           = logsumexp of k over the tokens    [dz]
        lognorm'    = log(exp(lognorm) + exp(s))
        rho         = exp(s - lognorm')                 share of the new chunk, per feature row
        U           = W (v - R memory)                  delta rule
        memory'     = (1 - rho) memory + rho U
    """
    if wipe is not None:
        memory = torch.where(wipe[:, None, None, None], torch.zeros_like(memory), memory)
        lognorm = torch.where(wipe[:, None, None], torch.full_like(lognorm, -math.inf), lognorm)
    kt, vt = k.permute(0, 2, 3, 1), v.transpose(1, 2)            # [B,H,dz,C], [B,H,C,dv]
    R = torch.softmax(k, -1).transpose(1, 2)                     # [B,H,C,dz]
    if keep is not None:
        kt = kt.masked_fill(~keep[:, None, None, :], -math.inf)
    W = torch.softmax(kt, -1)
    s = torch.logsumexp(kt, -1)
    new = torch.logaddexp(s, lognorm)
    rho = torch.exp(s - new)[..., None]
    U = torch.matmul(W, vt - torch.matmul(R, memory))
    return memory + rho * (U - memory), new


def adaptive_working_memory(q: Tensor, k_all: Tensor, v_all: Tensor, memory: Tensor, lognorm: Tensor,
                            plan: Plan) -> Tuple[Tensor, Tensor, Tensor]:
    """q [B,L,H,dz]; k_all, v_all as in sliding_chunk_attention.  -> out [B,L,H,dv], memory, lognorm."""
    outs, ws = [], plan.window_start
    for pc in plan.pieces:
        o = awm_read(q[:, pc.a - plan.start:pc.b - plan.start], memory)
        if pc.may_read is not None:
            o = torch.where(pc.may_read[:, :, None, None], o, torch.zeros_like(o))
        outs.append(o)
        if pc.absorb:
            C = (pc.b - pc.key_start) // 2                        # keys held now: previous and current chunk
            s0 = pc.key_start - ws
            memory, lognorm = awm_absorb(memory, lognorm, k_all[:, s0:s0 + C], v_all[:, s0:s0 + C], pc.keep, pc.wipe)
    return torch.cat(outs, 1), memory, lognorm


# --------------------------------------------------------------------------
# layer
# --------------------------------------------------------------------------
def linear(x: Tensor, w: Tensor, b: Optional[Tensor] = None) -> Tensor:
    """w [out, in]."""
    return F.linear(x, w, b)


@dataclass
class Methods:
    """How the two scans are evaluated (results agree to rounding)."""
    tdn: str = "block"
    tdn_block: int = 64
    cema: str = "loop"
    cema_block: int = 64


def gated_attention(P: Params, pre: str, cfg: GeckoConfig, x: Tensor, st: LayerState, plan: Plan,
                    how: Methods = Methods()) -> Tuple[Tensor, LayerState]:
    """Moving average gated attention.  x [B,L,D] -> y [B,L,D] including the residual."""
    g = lambda name: P[pre + name]
    B, L, D = x.shape
    H, dz, dv = cfg.num_heads, cfg.dz, cfg.dv
    tn, norm = timestep_decay_norm(x, g("timenorm.weight"), g("timenorm.bias"), cfg.norm_groups, cfg.beta1, cfg.beta2,
                                   cfg.eps, st.norm, plan.bos, how.tdn, how.tdn_block)
    p, q_, gam = cema_coefficients(g("cema.alpha"), g("cema.delta"), g("cema.theta"), g("cema.gamma"))
    ema, h = complex_ema(tn, p, q_, gam, st.cema_h, plan.bos, how.cema, how.cema_block)
    mx = group_rms_norm(ema + tn, P.get(pre + "rmsnorm.weight"), cfg.ln_groups, cfg.eps)
    z = group_rms_norm(linear(mx, g("wz.weight"), g("wz.bias")), None, H, cfg.eps)      # per head, no affine
    scale = (g("gamma") + 1.0) / math.sqrt(dz)                                          # [4, Z]
    q, k, aq, ak = [(z * scale[i] + g("beta")[i]).view(B, L, H, dz) for i in range(4)]
    v = F.silu(linear(tn, g("wv.weight"), g("wv.bias"))).view(B, L, H, dv)              # from the norm, not from mx
    r = F.silu(linear(mx, g("wr.weight"), g("wr.bias")))                                # [B,L,E]
    q = rotary(q, plan.start, cfg.rope_heads, cfg.rope_base)
    k = rotary(k, plan.start, cfg.rope_heads, cfg.rope_base)
    sk, wk, va = torch.cat([st.sca_k, k], 1), torch.cat([st.awm_k, ak], 1), torch.cat([st.v, v], 1)
    sca = sliding_chunk_attention(q, sk, va, plan).reshape(B, L, -1)
    awm, memory, lognorm = adaptive_working_memory(aq, wk, va, st.memory, st.lognorm, plan)
    mix = sca * r + awm.reshape(B, L, -1)                                               # the gate is on sca only
    y = x + linear(mx, g("wh1.weight"), g("wh1.bias")) + linear(mix, g("wh2.weight"))
    cut = plan.new_window_start - plan.window_start
    return y, LayerState(norm, h, sk[:, cut:], wk[:, cut:], va[:, cut:], memory, lognorm)


def nffn(P: Params, pre: str, cfg: GeckoConfig, y: Tensor, residual: Tensor) -> Tensor:
    """Normalised feed forward.  y [B,L,D] is normalised and transformed; `residual` is added."""
    n = group_layer_norm(y, P.get(pre + "norm.weight"), P.get(pre + "norm.bias"), cfg.ln_groups, cfg.eps)
    h = F.silu(linear(n, P[pre + "fc1.weight"]))
    if cfg.swiglu:
        h = h * linear(n, P[pre + "fc3.weight"])
    o = linear(h, P[pre + "fc2.weight"])
    if pre + "alpha" in P:
        o = o * P[pre + "alpha"]
    return o + residual


def gecko_layer(P: Params, i: int, cfg: GeckoConfig, x: Tensor, st: LayerState, plan: Plan,
                how: Methods = Methods()) -> Tuple[Tensor, LayerState]:
    y, st = gated_attention(P, f"layers.{i}.mega.", cfg, x, st, plan, how)
    return nffn(P, f"layers.{i}.nffn.", cfg, y, x if cfg.two_hop_residual else y), st


# --------------------------------------------------------------------------
# model
# --------------------------------------------------------------------------
def gecko_model(P: Params, cfg: GeckoConfig, tokens: Tensor, state: Optional[State] = None, packed: bool = False,
                how: Methods = Methods()) -> Tuple[Tensor, State]:
    """tokens [B,L] int64 -> logits [B,L,V] and the state after them.  L is free; state None = start of stream."""
    B, L = tokens.shape
    emb = P["embed.weight"]
    st = initial_state(cfg, B, emb.dtype) if state is None else state
    bos = tokens == cfg.bos_id if packed else None
    plan = make_plan(cfg.chunk_size, st.position, L, st.segments, st.memory_segment, st.last_segment, bos)
    x = emb[tokens]
    if cfg.scale_emb:
        x = x * math.sqrt(cfg.model_dim)
    layers = []
    for i in range(cfg.num_layers):
        x, s = gecko_layer(P, i, cfg, x, st.layers[i], plan, how)
        layers.append(s)
    x, fin = timestep_decay_norm(x, P["output.final_norm.weight"], P["output.final_norm.bias"], cfg.norm_groups,
                                 cfg.beta1, cfg.beta2, cfg.eps, st.final_norm, bos, how.tdn, how.tdn_block)
    out_w = emb if cfg.share_emb else P["output.output.weight"]
    return linear(x, out_w), State(st.position + L, layers, fin, plan.segments, plan.memory_segment, plan.last_segment)


def cross_entropy(logits: Tensor, targets: Tensor, ignore: int = -100) -> Tensor:
    """Mean over the targets that are not `ignore` of logsumexp(logits) - logits[target]."""
    V = logits.shape[-1]
    lg, tg = logits.reshape(-1, V), targets.reshape(-1)
    ok = tg != ignore
    nll = torch.logsumexp(lg, -1) - lg.gather(1, tg.clamp(min=0)[:, None])[:, 0]
    return torch.where(ok, nll, torch.zeros_like(nll)).sum() / ok.sum()


# --------------------------------------------------------------------------
# parameters
# --------------------------------------------------------------------------
def parameter_shapes(cfg: GeckoConfig) -> Dict[str, Tuple[int, ...]]:
    """Names follow the official state dict."""
    D, Z, E, Fh, N, V = cfg.model_dim, cfg.z_dim, cfg.value_dim, cfg.ffn_dim, cfg.cema_ndim, cfg.vocab_size
    s: Dict[str, Tuple[int, ...]] = {"embed.weight": (V, D)}
    for i in range(cfg.num_layers):
        m, f = f"layers.{i}.mega.", f"layers.{i}.nffn."
        s[m + "timenorm.weight"] = s[m + "timenorm.bias"] = (D,)
        s[m + "cema.alpha"] = s[m + "cema.delta"] = (D, N)
        s[m + "cema.theta"], s[m + "cema.gamma"] = (D,), (D, N, 2)
        if cfg.norm_affine:
            s[m + "rmsnorm.weight"] = (D,)
        s[m + "wv.weight"], s[m + "wv.bias"] = (E, D), (E,)
        s[m + "wz.weight"], s[m + "wz.bias"] = (Z, D), (Z,)
        s[m + "wr.weight"], s[m + "wr.bias"] = (E, D), (E,)
        s[m + "wh1.weight"], s[m + "wh1.bias"] = (D, D), (D,)
        s[m + "wh2.weight"] = (D, E)
        s[m + "gamma"] = s[m + "beta"] = (4, Z)
        if cfg.norm_affine:
            s[f + "norm.weight"] = s[f + "norm.bias"] = (D,)
        s[f + "fc1.weight"], s[f + "fc2.weight"] = (Fh, D), (D, Fh)
        if cfg.swiglu:
            s[f + "fc3.weight"] = (Fh, D)
        if cfg.rescale_nffn:
            s[f + "alpha"] = (D,)
    s["output.final_norm.weight"] = s["output.final_norm.bias"] = (D,)
    if not cfg.share_emb:
        s["output.output.weight"] = (V, D)
    return s


def is_matrix(name: str) -> bool:
    """Parameters that take weight decay: weights of linear maps and of the (un)embedding."""
    leaf = name.rsplit(".", 2)[-2:]
    return leaf[-1] == "weight" and leaf[0] in {"embed", "output", "wv", "wz", "wr", "wh1", "wh2", "fc1", "fc2", "fc3"}


def init_params(cfg: GeckoConfig, gen: torch.Generator, dtype=torch.float64, jitter: float = 0.0) -> Params:
    """The official distributions ('he' mode); jitter adds noise to the parameters that start at a constant,
    so that a test cannot pass by ignoring them."""
    D, N = cfg.model_dim, cfg.cema_ndim
    rnd = lambda shape: torch.randn(shape, generator=gen, dtype=torch.float64)
    P: Params = {}
    for name, shape in parameter_shapes(cfg).items():
        leaf = name.split(".")[-1]
        if name == "embed.weight" or name == "output.output.weight":
            t = rnd(shape)
            while (t.abs() > 3).any():                                   # truncated at 3 sigma
                t = torch.where(t.abs() > 3, rnd(shape), t)
            t = t / math.sqrt(D)
        elif is_matrix(name):
            t = rnd(shape) / math.sqrt(3.0 * shape[1])                   # kaiming normal with a = sqrt(5)
        elif leaf in ("alpha", "delta") and "cema" in name:
            t = 0.2 * rnd(shape)
        elif leaf == "theta":
            f = torch.exp(-math.log(D) / D * torch.arange(1, D + 1, dtype=torch.float64))
            f = f[torch.randperm(D, generator=gen)]
            t = torch.log(f / (1.0 - f))
        elif leaf == "gamma" and "cema" in name:
            t = rnd(shape) / math.sqrt(N)
            t[..., 1] = jitter * rnd(shape[:-1]) / math.sqrt(N)
        elif leaf == "alpha":                                            # nffn rescale
            t = torch.full(shape, 0.1 * 0.5 ** int(name.split(".")[1])) * (1.0 + jitter * rnd(shape))
        else:                                                            # norm weights/biases, biases, gamma, beta
            t = jitter * rnd(shape)
        P[name] = t.to(dtype)
    return P
