"""The protocol: state of the machine, warm-up, and samples taken in interleaved rounds."""
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from lcvision.latency.contention import Activity, involuntary_switches

_WARMUP_BLOCK = 5
_STABLE = 0.02


@dataclass(frozen=True)
class Budget:
    """How long measuring may take.

    Args:
        samples: Samples of each candidate, at least 1; 200 and more carry a headline number.
        max_seconds: Seconds of sampling for each candidate, after which it ends with fewer samples.
        warmup_seconds: Seconds of warm-up for each candidate at most.
        rounds: Rounds over all candidates that the samples are spread over.
    """

    samples: int = 200
    max_seconds: float = 60.
    warmup_seconds: float = 30.
    rounds: int = 10

    def __post_init__(self) -> None:
        for name in ('samples', 'rounds'):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} is a whole number of at least 1, got {value!r}')
        for name in ('max_seconds', 'warmup_seconds'):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float('inf'):
                raise ValueError(f'{name} is a number of seconds above 0, got {value!r}')


@dataclass
class Series:
    """Samples of one candidate.

    Args:
        samples_ms: Latencies in milliseconds in the order they were taken.
        switches: Involuntary context switches while they were taken.
        warmup_runs: Runs before the first sample.
        others: Cores' worth of other processes' work while all candidates were sampled.
    """

    samples_ms: np.ndarray = field(default_factory=lambda: np.empty(0))
    switches: int = 0
    warmup_runs: int = 0
    others: float = 0.


def quietly(work: Callable[[], Any], threads: int) -> Any:
    """Runs ``work`` under the conditions of a measurement and leaves the caller's as they were.

    The conditions are inference mode, ``threads`` threads, subnormal numbers flushed to zero, no garbage collection.
    They hold in the calling thread, since a second thread would bring OpenMP workers of its own beside those there
    are, and with more workers than CPUs every barrier is slow: two threads were measured at twice their time. Workers
    take the flush flag from the thread that starts them, so that those started before keep theirs; the tools set it
    before any is.

    Args:
        work: What to run.
        threads: Threads of an operator, at least 1.

    Returns:
        What ``work`` returned.
    """
    before, collecting, flushing = torch.get_num_threads(), gc.isenabled(), flushes_subnormals()
    gc.collect()
    gc.disable()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode():
            return work()
    finally:
        torch.set_flush_denormal(flushing)
        torch.set_num_threads(before)
        if collecting:
            gc.enable()


def flushes_subnormals() -> bool:
    """Whether this thread turns subnormal numbers into zeros."""
    return (torch.full((1,), 1e-38) * 0.01).item() == 0


def sample(run: Callable[[], Any], count: int) -> np.ndarray:
    """Latencies in milliseconds of ``count`` runs, one after the other."""
    times = np.empty(count, np.int64)
    clock = time.perf_counter_ns
    for i in range(count):
        start = clock()
        run()
        times[i] = clock() - start
    # A clock that ticks coarsely may give zero for something very quick.
    return np.maximum(times, 1) / 1e6


def warm_up(run: Callable[[], Any], seconds: float = 30.) -> int:
    """Runs until two successive blocks agree within 2 % of their medians.

    Args:
        run: What to run.
        seconds: When to stop without agreement.

    Returns:
        The number of runs, at least two blocks of five.
    """
    deadline = time.monotonic() + seconds
    previous, runs = np.median(sample(run, _WARMUP_BLOCK)), _WARMUP_BLOCK
    while True:
        median = np.median(sample(run, _WARMUP_BLOCK))
        runs += _WARMUP_BLOCK
        if abs(median - previous) < _STABLE * previous or time.monotonic() > deadline:
            return runs
        previous = median


def measure_rounds(runs: Sequence[Callable[[], Any]], budget: Budget,
                   progress: Callable[[float], None] | None = None) -> list[Series]:
    """Samples competing candidates in rounds, so that whatever the machine does meanwhile hits all alike.

    Every round goes through all candidates, every second one backwards, and takes a block of samples of each. One
    run before each block is not counted: it refills the caches that the previous candidate emptied.

    Args:
        runs: The candidates.
        budget: How many samples, and when to stop.
        progress: Called with the share done, between blocks.

    Returns:
        One series for each candidate.
    """
    series = [Series(warmup_runs=warm_up(run, budget.warmup_seconds)) for run in runs]
    blocks: list[list[np.ndarray]] = [[] for _ in runs]
    sizes = [len(part) for part in np.array_split(np.arange(budget.samples), budget.rounds) if len(part)]
    deadline = time.monotonic() + budget.max_seconds * len(runs)
    before = Activity.now()
    for turn, size in enumerate(sizes):
        order = range(len(runs)) if turn % 2 == 0 else reversed(range(len(runs)))
        for i in order:
            runs[i]()
            switches = involuntary_switches()
            blocks[i].append(sample(runs[i], size))
            series[i].switches += involuntary_switches() - switches
        if progress:
            progress((turn + 1) / len(sizes))
        if time.monotonic() > deadline:
            break
    others = Activity.now().others_since(before)
    for one, parts in zip(series, blocks, strict=True):
        one.samples_ms, one.others = np.concatenate(parts), others
    return series
