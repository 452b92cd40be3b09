"""Networks times engines times threads -> records with a profile: where the time of an inference goes."""
import copy
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from lcvision.deploy.engines import ENGINES, Engine, Prepared
from lcvision.deploy.network import example_input
from lcvision.deploy.precision import Bfloat16Network, deployed_network
from lcvision.errors import UserError
from lcvision.latency.benchmark import NO_TIME, Progress, reason_of, run_benchmark
from lcvision.latency.profiler.kernel import Kernel, median_kernels, record_layers
from lcvision.latency.profiler.traces import NAMED_KERNELS, OUTSIDE, trace_eager, trace_onednn, trace_others
from lcvision.latency.record import Failure, Outcome
from lcvision.latency.subject import Subject, TimeLimit
from lcvision.timing.rounds import Budget, measure_rounds, quietly
from lcvision.timing.statistics import noise_reasons

_BUDGET = Budget(samples=30, max_seconds=10., warmup_seconds=2., rounds=6)
_PEAK_SIZES, _PEAK_RUNS, _PEAK_SECONDS = (512, 1024), 60, 1.
_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}


def check_profiled(engines: Sequence[Engine], scopes: Sequence[str] = ('net',)) -> None:
    """Refuses engines that write no log of oneDNN, and any scope but the network's, with a :class:`UserError`."""
    for engine in engines:
        if engine.traced is None:
            raise UserError(f"--profile reads the log of torch's oneDNN, which engine {engine.name!r} does not write: "
                            f"give --engine one or more of {', '.join(traceable())}")
    if list(scopes) != ['net']:
        raise UserError(f"--profile takes the network apart, not --scope {','.join(scopes)}: leave --scope out")
    if not torch.backends.mkldnn.is_available():
        raise UserError('--profile reads the log of oneDNN, and this build of torch has none: install one that has it')


def traceable() -> list[str]:
    """Names of the engines whose inferences can be taken apart."""
    return [name for name, engine in ENGINES.items() if engine.traced]


def run_profiles(subjects: Sequence[Subject], engines: Sequence[Engine], threads: Sequence[int], *,
                 precisions: Sequence[str] = ('fp32',), budget: Budget | None = None,
                 progress: Progress | None = None, time_limit: TimeLimit | None = None,
                 deliver: Callable[[Outcome], None] | None = None) -> Outcome:
    """Measures as :func:`run_benchmark` does, one row after the other, and gives each record a profile.

    The arguments are the same, with engines of :func:`traceable`; ``deliver`` is called after each row.
    """
    outcome = Outcome()
    rows = [(subject, engine, precision, count) for subject in subjects for count in threads for engine in engines
            for precision in precisions if precision in engine.precisions]
    for turn, (subject, engine, precision, count) in enumerate(rows):
        def report(text: str, done: float, turn: int = turn) -> None:
            if progress:
                progress(text, (turn + done) / len(rows))

        share = time_limit and time_limit.share(2 * (len(rows) - turn))
        if turn and share and not share.seconds:
            outcome.skipped.append(Failure(subject.name, engine.name, count, NO_TIME))
            continue
        keeping, prepared = _keeping(engine)
        measured = run_benchmark(
            [subject], [keeping], [count], precisions=[precision], budget=budget, time_limit=share,
            progress=lambda text, done, report=report: report(text, done / 2))  # type: ignore[misc]
        outcome.failures += measured.failures
        outcome.records += measured.records
        for record in measured.records:
            report(f'{count} thread(s): profiling {subject.name} on {engine.name}', 0.5)
            try:
                record.profile = quietly(partial(profile_inference, prepared[-1], subject, engine.traced,
                                                 precision, count), count)
            except Exception as error:
                outcome.failures.append(Failure(subject.name, engine.name, count, reason_of(error)))
        if deliver:
            deliver(outcome)
    return outcome


def _keeping(engine: Engine) -> tuple[Engine, list[Prepared]]:
    """The engine, with generated kernels that can be told apart, and a list that takes what it prepares."""
    prepared: list[Prepared] = []

    def prepare(*args: Any, **settings: Any) -> Prepared:
        with torch._inductor.config.patch(NAMED_KERNELS) if engine.traced == 'kernels' else nullcontext():
            prepared.append(engine.prepare(*args, **settings))
        return prepared[-1]

    keeping = copy.copy(engine)
    keeping.prepare = prepare  # type: ignore[method-assign]
    return keeping, prepared


def profile_inference(prepared: Prepared, subject: Subject, traced: str | None, precision: str,
                      threads: int) -> dict:
    """Takes apart an inference of a prepared subject, under the conditions of a measurement.

    Inferences without a log, which give the time of the whole, take turns with traced ones, which give the times of the
    kernels; both count with their medians. The rest is the time outside kernels: Python, dispatch, allocation.

    Returns:
        Plain JSON: wall_ms, the milliseconds and shares of its parts (onednn, reorders, other, outside), peak_gflops
        of one core, and rows with layer, kernel, shape, count, us, share of wall_ms, gflops, of_peak and flags.
    """
    tracers = _tracers(prepared, subject, traced, precision)
    traces: list[list[list[Kernel]]] = [[] for _ in tracers]

    def trace(place: int) -> None:
        traces[place].append(tracers[place]())

    series = measure_rounds([partial(prepared.run, prepared.example),
                             *(partial(trace, place) for place in range(len(tracers)))], _BUDGET)
    kernels = [kernel for found in traces for kernel in median_kernels(found)]
    wall = float(np.median(series[0].samples_ms))
    peak = peak_gflops(precision)
    times = {'onednn': _ms(k for k in kernels if k.source == 'onednn' and not k.is_reorder),
             'reorders': _ms(k for k in kernels if k.is_reorder),
             'other': _ms(k for k in kernels if k.source != 'onednn')}
    times['outside'] = wall - sum(times.values())
    return {
        'wall_ms': round(wall, 5), 'samples': len(series[0].samples_ms), 'traced': min(map(len, traces)),
        'parts_ms': {name: round(ms, 5) for name, ms in times.items()},
        'parts_share': {name: round(ms / wall, 4) for name, ms in times.items()},
        'peak_gflops': round(peak, 1), 'isa': sorted({kernel.isa for kernel in kernels if kernel.isa}),
        'noisy_because': noise_reasons(series[0], threads), 'rows': profile_rows(kernels, wall, peak * threads),
    }


def _tracers(prepared: Prepared, subject: Subject, traced: str | None,
             precision: str) -> list[Callable[[], list[Kernel]]]:
    run, x = prepared.run, prepared.example
    if traced == 'operators':
        assert isinstance(run, nn.Module)
        named = run.network if isinstance(run, Bfloat16Network) else run
        return [partial(trace_eager, run, x, named)]
    example = example_input(subject.input_size)
    layers = record_layers(deployed_network(subject.network, example, 'fp32'), example)
    known = trace_onednn(run, x, layers)[1]
    return [lambda: trace_onednn(run, x, layers)[0], lambda: trace_others(run, x, layers, known)]


def profile_rows(kernels: Sequence[Kernel], wall_ms: float, peak: float) -> list[dict]:
    """Rows of the table, plain JSON, for the kernels of an inference of ``wall_ms``; ``peak`` is of all its cores.

    The reorders of one layer share a row, and so do operators of one kind that are no sums of products; those come
    last.
    """
    groups: dict[tuple, list[Kernel]] = {}
    for place, kernel in enumerate(kernels):
        key: tuple = (0, place)
        if kernel.is_reorder:
            key = (0, 'reorder', kernel.layer, None if kernel.layer else kernel.shape)
        elif kernel.source == 'torch' and kernel.macs is None:
            key = (1, kernel.operation)
        groups.setdefault(key, []).append(kernel)
    return [_row(groups[key], wall_ms, peak) for key in sorted(groups, key=lambda key: key[0])]


def _row(group: list[Kernel], wall_ms: float, peak: float) -> dict:
    first, us, macs = group[0], sum(kernel.us for kernel in group), sum(kernel.macs or 0 for kernel in group)
    gflops = 2e-3 * macs / us if macs and us else None
    flags = [name for name, raised in (('reference', any(kernel.is_reference for kernel in group)),
                                       ('reorder', first.is_reorder),
                                       (OUTSIDE, first.source == 'torch' and macs > 0)) if raised]
    return {
        'layer': first.layer if len({kernel.layer for kernel in group}) == 1 else None,
        'source': first.source, 'operation': first.operation, 'kernel': first.name,
        'shape': max(group, key=lambda kernel: kernel.us).shape, 'count': len(group),
        'us': round(us, 2), 'share': round(us / wall_ms / 1e3, 5),
        'gflops': None if gflops is None else round(gflops, 2),
        'of_peak': None if gflops is None else round(gflops / peak, 4), 'flags': flags,
    }


def _ms(kernels: Iterable[Kernel]) -> float:
    return sum(kernel.us for kernel in kernels) / 1e3


@cache
def peak_gflops(precision: str = 'fp32') -> float:
    """GFLOP/s of one core in a large square matrix product, the best of many runs of two sizes.

    The best and not the median: other processes and a clock that is still rising can only slow it.
    """
    dtype = _DTYPES[precision]

    def best(size: int) -> float:
        a, b, out = (torch.ones((size, size), dtype=dtype) for _ in range(3))
        quickest, deadline = float('inf'), time.monotonic() + _PEAK_SECONDS
        for turn in range(_PEAK_RUNS):
            start = time.perf_counter_ns()
            torch.mm(a, b, out=out)
            if turn:
                quickest = min(quickest, time.perf_counter_ns() - start)
            if turn > 2 and time.monotonic() > deadline:
                break
        return 2 * size ** 3 / max(quickest, 1)

    return quietly(lambda: max(best(size) for size in _PEAK_SIZES), 1)
