"""What a series of timings says: the middle, the spread, the interval, and whether it can be trusted."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

P90_MIN_SAMPLES = 64
P99_MIN_SAMPLES = 662
_BOOTSTRAPS = 1000
_MAX_DRIFT = 0.05
_MAX_SWITCHES = 0.25
_MAX_OTHERS = 0.1


@dataclass(frozen=True)
class Summary:
    """One series of latencies in milliseconds.

    Args:
        median: Half of the samples took longer.
        p10: One sample in ten was quicker.
        p90: One sample in ten took longer; None below 64 samples, which cannot tell.
        p99: One sample in a hundred took longer; None below 662 samples.
        min: The quickest sample.
        iqr: Distance between the quartiles.
        ci95: Bootstrap interval of the median.
    """

    median: float
    p10: float
    p90: float | None
    p99: float | None
    min: float
    iqr: float
    ci95: tuple[float, float]

    def as_json(self) -> dict:
        """The ``latency_ms`` object of a record."""
        numbers = {name: getattr(self, name) for name in ('median', 'p10', 'p90', 'p99', 'min', 'iqr')}
        rounded = {name: None if x is None else round(x, 5) for name, x in numbers.items()}
        return {**rounded, 'ci95': [round(x, 5) for x in self.ci95]}


def summarize(samples_ms: Sequence[float] | np.ndarray, seed: int = 0) -> Summary:
    """Summarises a series.

    Args:
        samples_ms: (n,) latencies in milliseconds, at least one.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no sample, or one is not a finite number above zero.
    """
    samples = _checked(samples_ms)
    p10, p25, p75, p90, p99 = np.percentile(samples, (10, 25, 75, 90, 99))
    return Summary(
        median=float(np.median(samples)),
        p10=float(p10),
        p90=float(p90) if len(samples) >= P90_MIN_SAMPLES else None,
        p99=float(p99) if len(samples) >= P99_MIN_SAMPLES else None,
        min=float(samples.min()),
        iqr=float(p75 - p25),
        ci95=median_interval(samples, seed=seed))


def median_interval(samples_ms: Sequence[float] | np.ndarray, level: float = 0.95,
                    seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the median.

    Args:
        samples_ms: (n,) latencies, at least one.
        level: Share of the intervals that hold the true median, between 0 and 1.
        seed: Of the resampling, so that one series always gives one interval.
    """
    samples = _checked(samples_ms)
    drawn = np.random.default_rng(seed).choice(samples, (_BOOTSTRAPS, len(samples)))
    low, high = np.quantile(np.median(drawn, 1), ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def drift(samples_ms: Sequence[float] | np.ndarray) -> float:
    """Relative change of the median from the first half of a series to the second; 0 below four samples."""
    samples = _checked(samples_ms)
    if len(samples) < 4:
        return 0.
    half = len(samples) // 2
    return float(np.median(samples[half:]) / np.median(samples[:half]) - 1)


def noise_reasons(samples_ms: Sequence[float] | np.ndarray, *, switches: int, others: float, threads: int,
                  cpus: int) -> list[str]:
    """Why a series is not to be trusted; empty when nothing speaks against it.

    Args:
        samples_ms: (n,) latencies in the order they were taken.
        switches: Involuntary context switches of this process while they were taken. More than one in four samples
            means that threads waited for a core in a good part of them.
        others: Cores' worth of work that other processes did meanwhile on the CPUs this one may use. It counts when it
            is above a tenth of them and leaves less than they and our threads would need.
        threads: Threads measured with.
        cpus: CPUs that this process may use.

    Returns:
        Clauses such as 'other processes used 1.0 of 2 CPUs'.
    """
    reasons = []
    if others > _MAX_OTHERS * cpus and others + threads > (1 - _MAX_OTHERS) * cpus:
        reasons.append(f'other processes used {others:.1f} of {cpus} CPUs')
    rate = switches / len(samples_ms)
    if rate > _MAX_SWITCHES:
        reasons.append(f'{rate:.1f} involuntary context switches a sample')
    change = drift(samples_ms)
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


def _checked(samples_ms: Sequence[float] | np.ndarray) -> np.ndarray:
    samples = np.asarray(samples_ms, np.float64)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all() or samples.min() <= 0:
        raise ValueError(f'a series of latencies is one row of finite numbers above zero, got shape {samples.shape}')
    return samples
