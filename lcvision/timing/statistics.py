"""What a series of timings says: the middle, the spread, the interval, and whether it can be trusted."""
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lcvision import environment
from lcvision.timing.rounds import Series

P90_MIN_SAMPLES, P99_MIN_SAMPLES = 64, 662
_BOOTSTRAPS = 1000
_MAX_DRIFT, _MAX_OTHERS, _MAX_THROTTLED = 0.05, 0.1, 0.01
# A quiet machine has under 40; a core shared with one busy process has more than 90.
_MAX_SWITCHES = 50.


@dataclass(frozen=True)
class Summary:
    """A series of latencies in milliseconds; what older records lack is None.

    Attributes:
        median: Half of the samples took longer; ``ci95`` is its bootstrap interval.
        p10: One sample in ten was quicker; in ``p90`` one in ten took longer (None below 64 samples, too few to tell)
            and in ``p99`` one in a hundred (None below 662).
        min: The quickest sample.
        iqr: Distance between the quartiles.
    """

    median: float
    ci95: tuple[float, float]
    p10: float | None = None
    p90: float | None = None
    p99: float | None = None
    min: float | None = None
    iqr: float | None = None

    def to_json(self) -> dict:
        """The ``latency_ms`` object of a record."""
        rounded = {name: x if x is None else round(x, 5) for name, x in vars(self).items() if name != 'ci95'}
        return {**rounded, 'ci95': [round(x, 5) for x in self.ci95]}

    @classmethod
    def from_json(cls, content: dict) -> 'Summary':
        """Reads what :meth:`to_json` gave; a missing interval becomes the median."""
        known: dict[str, Any] = {one.name: content.get(one.name) for one in fields(cls)}
        return cls(**known | {'ci95': tuple(known['ci95'] or 2 * (known['median'],))})


def summarize(blocks: Sequence[np.ndarray], seed: int = 0) -> Summary:
    """Summarises the latencies of each round, (n,) milliseconds each; with one ``seed`` always to one interval.

    Raises:
        ValueError: There is no sample, or one is not a finite number above zero.
    """
    samples = _checked(blocks)
    p10, p25, p75, p90, p99 = map(float, np.percentile(samples, (10, 25, 75, 90, 99)))
    return Summary(float(np.median(samples)), median_interval(blocks, seed=seed), p10,
                   p90 if len(samples) >= P90_MIN_SAMPLES else None, p99 if len(samples) >= P99_MIN_SAMPLES else None,
                   float(samples.min()), p75 - p25)


def median_interval(blocks: Sequence[np.ndarray], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the median; a share ``level`` of such intervals holds the true one."""
    low, high = np.quantile(resampled_medians(blocks, seed=seed), ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def resampled_medians(*series: Sequence[np.ndarray], seed: int = 0) -> np.ndarray:
    """Medians (1000, number of series) of series drawn anew: rounds, alike for all series, then samples within each.

    The samples of one round share the state of the machine, so they are not independent. With rounds alone, the
    interval of three or four rounds would hold the true median in 70 to 85 of 100 cases.
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
    """Why a series cannot be trusted, in clauses such as 'other processes used 1.0 of 2 CPUs'; none where it can.

    The work of other processes counts when it takes more than a tenth of the CPUs and leaves too few cores for them and
    our ``threads``: two threads on one core slow each other.
    """
    seen, change = series.contention, drift(series.samples_ms)
    cpus, cores = len(environment.affinity()), len(environment.cores())
    rate = series.switches / max(series.cpu_seconds, 1e-3)
    found = {
        f'other processes used {seen.others:.1f} of {cpus} CPUs':
            seen.others > _MAX_OTHERS * cpus and seen.others + threads > (1 - _MAX_OTHERS) * cores,
        f'other processes used {seen.siblings:.1f} CPUs that share cores with ours':
            seen.siblings > _MAX_OTHERS * cores,
        f'the CPU quota of the container stopped us for {seen.throttled:.0%} of the time':
            seen.throttled > _MAX_THROTTLED,
        f'{rate:.0f} involuntary context switches a CPU second': rate > _MAX_SWITCHES and series.switches > 1,
        f'the median drifted by {change:+.0%} from the first half to the second': abs(change) > _MAX_DRIFT}
    return [reason for reason, holds in found.items() if holds]


def _checked(blocks: Sequence[np.ndarray]) -> np.ndarray:
    samples = np.concatenate([np.asarray(block, np.float64) for block in blocks] or [np.empty(0)])
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all() or samples.min() <= 0:
        raise ValueError(f'a series of latencies is one row of finite numbers above zero, got shape {samples.shape}')
    return samples
