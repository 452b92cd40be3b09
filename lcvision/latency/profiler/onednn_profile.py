"""Where the time of an inference goes: layer by layer, from oneDNN's verbose log."""
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from torch import nn

from lcvision.deploy.engines.engine import Prepared
from lcvision.deploy.network import example_input
from lcvision.deploy.precision import Bfloat16Network, deployed_network
from lcvision.timing.rounds import Budget, measure_rounds
from lcvision.latency.profiler.compiled_trace import trace_onednn, trace_others
from lcvision.latency.profiler.eager_trace import trace_eager
from lcvision.latency.profiler.kernel import Kernel, median_kernels
from lcvision.latency.profiler.layer_names import record_layers
from lcvision.latency.profiler.peak import peak_gflops
from lcvision.timing.statistics import noise_reasons
from lcvision.latency.subject import Subject

_BUDGET = Budget(samples=30, max_seconds=10., warmup_seconds=2., rounds=6)


def profile_inference(prepared: Prepared, subject: Subject, traced: str | None, precision: str,
                      threads: int) -> dict:
    """Takes an inference apart; called under the conditions of a measurement.

    Inferences without any log, which give the time of the whole, take turns with inferences that are traced, which
    give the times of the kernels; both count with their medians. What is left is the time outside kernels: Python,
    dispatch, allocation.

    Args:
        prepared: The network as the engine runs it.
        subject: The network.
        traced: Of its engine, see :class:`~lcvision.deploy.engines.Engine`.
        precision: 'fp32' or 'bf16'.
        threads: Threads it runs with.

    Returns:
        Plain JSON: wall_ms, the milliseconds and shares of its parts (onednn, reorders, other, outside), peak_gflops
        of one core, and rows with layer, kernel, shape, count, us, share of wall_ms, gflops, of_peak and flags.

    Raises:
        LogError: oneDNN's log has a form that is not known.
    """
    traces: list[list[list[Kernel]]] = []

    def recorded(trace: Callable[[], list[Kernel]]) -> Callable[[], None]:
        kept: list[list[Kernel]] = []
        traces.append(kept)
        return lambda: kept.append(trace())

    tracers = [recorded(trace) for trace in _tracers(prepared, subject, traced, precision)]
    series = measure_rounds([partial(prepared.run, prepared.example), *tracers], _BUDGET)
    kernels = [kernel for kept in traces for kernel in median_kernels(kept)]
    wall = float(np.median(series[0].samples_ms))
    peak = peak_gflops(precision)
    times = {'onednn': _ms(k for k in kernels if k.source == 'onednn' and not k.is_reorder),
             'reorders': _ms(k for k in kernels if k.is_reorder),
             'other': _ms(k for k in kernels if k.source != 'onednn')}
    times['outside'] = wall - sum(times.values())
    return {
        'wall_ms': round(wall, 5),
        'samples': len(series[0].samples_ms),
        'traced': min(map(len, traces)),
        'parts_ms': {name: round(ms, 5) for name, ms in times.items()},
        'parts_share': {name: round(ms / wall, 4) for name, ms in times.items()},
        'peak_gflops': round(peak, 1),
        'isa': sorted({kernel.isa for kernel in kernels if kernel.isa}),
        'noisy_because': noise_reasons(series[0], threads),
        'rows': profile_rows(kernels, wall, peak * threads),
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
    """Rows of the table, plain JSON.

    The reorders of one layer share a row, and so do operators of one kind that are no sums of products; those come
    last.

    Args:
        kernels: Of one inference, in order.
        wall_ms: Milliseconds of the inference.
        peak: GFLOP/s of all its cores.
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
    first, us = group[0], sum(kernel.us for kernel in group)
    macs = sum(kernel.macs or 0 for kernel in group)
    gflops = 2e-3 * macs / us if macs and us else None
    flags = [name for name, raised in (('reference', any(kernel.is_reference for kernel in group)),
                                       ('reorder', first.is_reorder),
                                       ('outside oneDNN', first.source == 'torch' and macs > 0)) if raised]
    return {
        'layer': first.layer if len({kernel.layer for kernel in group}) == 1 else None,
        'source': first.source,
        'operation': first.operation,
        'kernel': first.name,
        'shape': max(group, key=lambda kernel: kernel.us).shape,
        'count': len(group),
        'us': round(us, 2),
        'share': round(us / wall_ms / 1e3, 5),
        'gflops': None if gflops is None else round(gflops, 2),
        'of_peak': None if gflops is None else round(gflops / peak, 4),
        'flags': flags,
    }


def _ms(kernels: Iterable[Kernel]) -> float:
    return sum(kernel.us for kernel in kernels) / 1e3
