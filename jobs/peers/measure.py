"""What the peers have in common: their options, and how a step is timed."""
import argparse
import resource
import statistics
import time

import torch


def options(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["XS", "S", "L"], default="S")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--seq", type=int, default=4096, help="tokens of the one sequence of a step")
    parser.add_argument("--vocab", type=int, default=256)
    parser.add_argument("--reps", type=int, default=3, help="steps that are timed, after one that isn't")
    parser.add_argument("--compile", action="store_true", help="by TorchInductor")
    return parser


def measure(name, a, parameters, optimizer, loss_of, tokens):
    """Trains 1 + a.reps steps and prints the median step's tokens/s, which gecko bench --against reads, and more."""
    if a.compile:
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(tokens)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item()

    step()
    times, cpu = [], []
    for _ in range(a.reps):
        t0, c0 = time.perf_counter(), time.process_time()
        step()
        times.append(time.perf_counter() - t0)
        cpu.append(time.process_time() - c0)
    median, best = statistics.median(times), min(times)
    print(f"torch {torch.__version__}, {name}, {a.dtype}, threads {a.threads}, compile {a.compile}: "
          f"{a.seq / median:.2f} tokens/s (median of {a.reps} steps of {median:.2f} s; best {a.seq / best:.2f}, "
          f"{a.seq / min(cpu):.2f} per CPU second), peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB, "
          f"{sum(p.numel() for p in parameters)} parameters")
