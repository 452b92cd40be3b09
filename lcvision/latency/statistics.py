"""What a series of timings says: the middle, the spread, the interval, and whether it can be trusted."""
from collections.abc import Sequence

import numpy as np

from lcvision import environment
from lcvision.latency.measure import Series
from lcvision.latency.record import Summary

P90_MIN_SAMPLES = 64
P99_MIN_SAMPLES = 662
_BOOTSTRAPS = 1000
_MAX_DRIFT = 0.05
# A quiet machine has under 40; a core shared with one busy process has more than 90.
_MAX_SWITCHES = 50.
_MAX_OTHERS = 0.1
_MAX_THROTTLED = 0.01


def summarize(blocks: Sequence[np.ndarray], seed: int = 0) -> Summary:
    """Summarises a series.

    Args:
        blocks: Latencies in milliseconds of each round, (n,) each, at least one in all.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no sample, or one is not a finite number above zero.
    """
    samples = _checked(blocks)
    p10, p25, p75, p90, p99 = np.percentile(samples, (10, 25, 75, 90, 99))
    return Summary(
        median=float(np.median(samples)),
        p10=float(p10),
        p90=float(p90) if len(samples) >= P90_MIN_SAMPLES else None,
        p99=float(p99) if len(samples) >= P99_MIN_SAMPLES else None,
        min=float(samples.min()),
        iqr=float(p75 - p25),
        ci95=median_interval(blocks, seed=seed))


def median_interval(blocks: Sequence[np.ndarray], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the median.

    Args:
        blocks: Latencies of each round, (n,) each.
        level: Share of the intervals that hold the true median, between 0 and 1.
        seed: Of the resampling, so that one series always gives one interval.
    """
    low, high = np.quantile(resampled_medians(blocks, seed=seed), ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def resampled_medians(*series: Sequence[np.ndarray], seed: int = 0) -> np.ndarray:
    """Medians of series drawn anew: rounds first, then samples within each.

    The samples of one round share the state of the machine, so that they are no independent witnesses. With rounds
    alone the interval of three or four rounds would hold the true median in 70 to 85 of 100 cases.

    Args:
        series: Blocks of one or more series that were measured in the same rounds and are drawn with the same ones.
        seed: Of the resampling.

    Returns:
        (1000, number of series) medians.
    """
    rng, medians = np.random.default_rng(seed), np.empty((_BOOTSTRAPS, len(series)))
    for column, blocks in enumerate(series):
        samples, sizes = _checked(blocks), np.array([len(block) for block in blocks])
        starts, slots = np.cumsum(sizes) - sizes, np.repeat(np.arange(len(sizes)), sizes)
        picks = np.random.default_rng(seed).integers(len(sizes), size=(_BOOTSTRAPS, len(sizes)))
        for row, pick in zip(medians, picks, strict=True):
            drawn = pick[slots]
            row[column] = np.median(samples[starts[drawn] + (rng.random(len(drawn)) * sizes[drawn]).astype(int)])
    return medians


def drift(samples_ms: Sequence[float] | np.ndarray) -> float:
    """Relative change of the median from the first half of a series to the second; 0 below four samples."""
    samples = _checked([np.asarray(samples_ms)])
    if len(samples) < 4:
        return 0.
    half = len(samples) // 2
    return float(np.median(samples[half:]) / np.median(samples[:half]) - 1)


def noise_reasons(series: Series, threads: int) -> list[str]:
    """Why a series is not to be trusted; empty when nothing speaks against it.

    The work of other processes counts when it is above a tenth of the CPUs and leaves fewer cores than they and our
    threads would need: two threads on one core slow each other.

    Args:
        series: As measured.
        threads: Threads measured with.

    Returns:
        Clauses such as 'other processes used 1.0 of 2 CPUs'.
    """
    reasons, seen = [], series.contention
    cpus, cores = len(environment.affinity()), len(environment.cores())
    if seen.others > _MAX_OTHERS * cpus and seen.others + threads > (1 - _MAX_OTHERS) * cores:
        reasons.append(f'other processes used {seen.others:.1f} of {cpus} CPUs')
    if seen.siblings > _MAX_OTHERS * cores:
        reasons.append(f'other processes used {seen.siblings:.1f} CPUs that share cores with ours')
    if seen.throttled > _MAX_THROTTLED:
        reasons.append(f'the CPU quota of the container stopped us for {seen.throttled:.0%} of the time')
    rate = series.switches / max(series.cpu_seconds, 1e-3)
    if rate > _MAX_SWITCHES and series.switches > 1:
        reasons.append(f'{rate:.0f} involuntary context switches a CPU second')
    change = drift(series.samples_ms)
    if abs(change) > _MAX_DRIFT:
        reasons.append(f'the median drifted by {change:+.0%} from the first half to the second')
    return reasons


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation: 1 where both put everything in the same order, -1 where in the opposite one.

    Args:
        first: (n,) numbers; equal ones share the mean of their ranks.
        second: (n,) numbers of the same things.

    Returns:
        Between -1 and 1; None of fewer than three things, or where all numbers of one row are equal.
    """
    if len(first) != len(second):
        raise ValueError(f'ranks of {len(first)} and {len(second)} things cannot be compared')
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Sequence[float]) -> np.ndarray:
    row = np.asarray(values, np.float64)
    below = (row[:, None] > row).sum(1)
    return below + ((row[:, None] == row).sum(1) - 1) / 2


def _checked(blocks: Sequence[np.ndarray]) -> np.ndarray:
    samples = np.concatenate([np.asarray(block, np.float64) for block in blocks] or [np.empty(0)])
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all() or samples.min() <= 0:
        raise ValueError(f'a series of latencies is one row of finite numbers above zero, got shape {samples.shape}')
    return samples
