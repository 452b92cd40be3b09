"""The protocol: state of the machine, warm-up, and samples taken in interleaved rounds."""
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from lcvision.allocator import keep_freed_memory
from lcvision.timing.contention import Activity, Contention, involuntary_switches

_WARMUP_BLOCK, _STABLE = 5, 0.02
# Ten runs of a network that takes longer than three seconds would not be worth their time.
_WARMUP_LIMIT = 30.
_MIN_SAMPLES, _BLOCK = 10, 3
_SETTLE_LIMIT, _SETTLE_STEP = 0.05, 0.002
# After a pause cores and threads are slow for some milliseconds.
_WAKE_SECONDS = 0.03


@dataclass(frozen=True)
class Budget:
    """How long measuring may take.

    Attributes:
        samples: Samples of each candidate, at least 1; a headline number needs 200 or more.
        max_seconds: Seconds of sampling for each candidate; a slow one gets fewer samples and rounds, but at least ten
            samples.
        warmup_seconds: Seconds of warm-up for each candidate, beyond the ten runs that every one gets.
        rounds: Rounds over all candidates that the samples are spread over.
    """

    samples: int = 200
    max_seconds: float = 60.
    warmup_seconds: float = 30.
    rounds: int = 40

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            whole = name in ('samples', 'rounds')
            kinds, what = (int, 'whole number of at least 1') if whole else ((int, float), 'number of seconds above 0')
            if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < float('inf'):
                raise ValueError(f'{name} is a {what}, got {value!r}')


@dataclass
class Series:
    """Samples of one candidate.

    Attributes:
        blocks: Latencies in milliseconds by the round they were taken in.
        switches: Involuntary context switches while they were taken.
        cpu_seconds: Of this process, all threads, while they were taken.
        warmup_runs: Runs before the first sample.
        contention: What others took while all candidates were sampled.
        yardstick: Milliseconds of a yardstick around each block, by round.
        readings: (n, kinds) all its readings while all candidates were sampled.
    """

    blocks: dict[int, np.ndarray] = field(default_factory=dict)
    switches: int = 0
    cpu_seconds: float = 0.
    warmup_runs: int = 0
    contention: Contention = field(default_factory=Contention)
    yardstick: dict[int, np.ndarray] = field(default_factory=dict)
    readings: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def samples_ms(self) -> np.ndarray:
        """(n,) latencies in the order they were taken."""
        return np.concatenate([*self.blocks.values()] or [np.empty(0)])


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during the rounds, with the ``series`` sampled so far."""

    def __init__(self, series: list[Series]):
        self.series = series


@contextmanager
def inferring(threads: int) -> Iterator[None]:
    """Inference mode, so many threads within an operator, subnormal numbers flushed; restores the caller's state.

    Freed memory stays in the process for good. Workers inherit the flush flag from the thread that starts them, and
    earlier ones do not change; the tools therefore set it before any worker starts.
    """
    keep_freed_memory()
    before, flushing = torch.get_num_threads(), flushes_subnormals()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_flush_denormal(flushing)
        torch.set_num_threads(before)


def quietly(work: Callable[[], Any], threads: int) -> Any:
    """Runs ``work`` under the conditions of a measurement: :func:`inferring`, without garbage collection.

    The work runs in the calling thread: a second one would start OpenMP workers of its own, and with more workers than
    CPUs every barrier is slow (two threads took twice their time).
    """
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        with inferring(threads):
            return work()
    finally:
        if collecting:
            gc.enable()


def flushes_subnormals() -> bool:
    """Whether this thread turns subnormal numbers, such as this product, into zeros."""
    return bool(np.float32(1e-38) * np.float32(0.01) == 0)


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


def warm_up(run: Callable[[], Any], seconds: float = 30.) -> tuple[int, float]:
    """Runs until the medians of two successive blocks agree within 2 %, or ``seconds`` are over.

    Two blocks of five runs are made in any case, unless they take more than 30 seconds. Returns the number of runs, and
    the median of the last block in milliseconds.
    """
    start, previous, runs = time.monotonic(), 0., 0
    while True:
        block = _warm_up_block(run, start + _WARMUP_LIMIT)
        median, runs = float(np.median(block)), runs + len(block)
        now = time.monotonic()
        agreed = abs(median - previous) < _STABLE * previous
        if now > start + _WARMUP_LIMIT or (runs > _WARMUP_BLOCK and (agreed or now > start + seconds)):
            return runs, median
        previous = median


def measure_rounds(runs: Sequence[Callable[[], Any]], budget: Budget, progress: Callable[[float], None] | None = None,
                   yardstick: Callable[[], Sequence[float]] | None = None,
                   drain: Callable[[int], None] | None = None) -> list[Series]:
    """Samples competing candidates in rounds, so that whatever the machine does meanwhile affects all alike.

    Every round goes through all candidates, every second round backwards, and takes a block of samples of each. Before
    each block the threads of the previous candidate go to sleep, and 30 ms of runs, at least one, are not counted: they
    refill the caches and wake the cores. A candidate too slow for all its samples gets fewer blocks, spread over the
    rounds.

    Args:
        runs: The candidates, which get one series each.
        budget: How many samples, and when to stop.
        progress: Called with the share done, between blocks.
        yardstick: Read before each block and at the end; a block's own value is the mean of the readings around it.
        drain: Called with the place of a candidate when it has run for a while; it ends what the last run began.

    Raises:
        Interrupted: With the series as far as they were sampled.
    """
    tell, drain = progress or (lambda done: None), drain or (lambda place: None)
    series: list[Series] = []
    plans: list[list[int]] = []
    for i, run in enumerate(runs):
        tell(i / len(runs) / 4)
        warm_up_runs, median = warm_up(run, budget.warmup_seconds)
        drain(i)
        series.append(Series(warmup_runs=warm_up_runs))
        plans.append(plan_blocks(budget, median / 1e3))
    return _sample_rounds(runs, series, plans, budget, tell, yardstick, drain)


def _sample_rounds(runs: Sequence[Callable[[], Any]], series: list[Series], plans: list[list[int]], budget: Budget,
                   tell: Callable[[float], None], yardstick: Callable[[], Sequence[float]] | None,
                   drain: Callable[[int], None]) -> list[Series]:
    interrupted = False
    spent = [0.] * len(runs)
    readings: list[Sequence[float]] = []
    places: list[dict[int, int]] = [{} for _ in runs]
    before = Activity.now()
    try:
        for turn in range(budget.rounds):
            for i in range(len(runs)) if turn % 2 == 0 else reversed(range(len(runs))):
                one = series[i]
                if plans[i][turn] and (len(one.samples_ms) < _MIN_SAMPLES or spent[i] < budget.max_seconds):
                    start = time.monotonic()
                    settle()
                    if yardstick:
                        places[i][turn] = len(readings)
                        readings.append(yardstick())
                        settle()
                    _wake(runs[i])
                    switches, seconds = involuntary_switches(), time.process_time()
                    one.blocks[turn] = sample(runs[i], plans[i][turn])
                    drain(i)
                    one.cpu_seconds += time.process_time() - seconds
                    one.switches += involuntary_switches() - switches
                    spent[i] += time.monotonic() - start
            tell(0.25 + 0.75 * (turn + 1) / budget.rounds)
    except KeyboardInterrupt:
        interrupted = True
    contention = Activity.now().since(before)
    if yardstick:
        readings.append(yardstick())
    for one, places_of_one in zip(series, places, strict=True):
        one.contention, one.readings = contention, np.array(readings)
        one.yardstick = {turn: one.readings[i:i + 2].mean(0) for turn, i in places_of_one.items()}
    if interrupted:
        raise Interrupted(series)
    return series


def settle() -> None:
    """Waits until this process is idle, at most 50 ms.

    OpenMP's workers spin for some milliseconds after an operator, waiting for the next one, and share the CPUs with
    another engine's threads: on two CPUs, OpenVINO's first four inferences took twice as long.
    """
    deadline = time.monotonic() + _SETTLE_LIMIT
    while time.monotonic() < deadline:
        before = time.process_time()
        time.sleep(_SETTLE_STEP)
        if time.process_time() - before < _SETTLE_STEP / 4:
            return


def _wake(run: Callable[[], Any]) -> None:
    end = time.monotonic() + _WAKE_SECONDS
    run()
    while time.monotonic() < end:
        run()


def plan_blocks(budget: Budget, seconds: float) -> list[int]:
    """Samples of a candidate in each round, 0 in those that a slow one leaves out; one run takes ``seconds``."""
    affordable = int(min(budget.max_seconds / seconds, budget.samples))
    count = min(budget.samples, max(affordable, _MIN_SAMPLES))
    # Small blocks would spend the time on the runs before each.
    turns = max(1, min(budget.rounds, count if count == budget.samples else count // _BLOCK))
    sizes = [len(part) for part in np.array_split(np.arange(count), turns) if len(part)]
    plan = [0] * budget.rounds
    for size, place in zip(sizes, np.linspace(0, budget.rounds - 1, len(sizes)).round().astype(int), strict=True):
        plan[place] = size
    return plan


def _warm_up_block(run: Callable[[], Any], deadline: float) -> np.ndarray:
    times: list[float] = []
    while len(times) < _WARMUP_BLOCK and (not times or time.monotonic() < deadline):
        times.extend(sample(run, 1))
    return np.array(times)
