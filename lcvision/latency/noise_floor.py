"""The A/A check: one network on one engine, measured as if it were two, and what the difference says of all others."""
from collections.abc import Iterable, Sequence

import numpy as np

_BOOTSTRAPS = 1000
# Of two equal candidates in the same rounds; beyond it no number of these rounds is worth much.
_MAX_DIFFERENCE = 0.03
_KEYS = ('config', 'engine', 'precision', 'threads', 'input', 'scope')


def compare_twins(first_ms: Sequence[float] | np.ndarray, second_ms: Sequence[float] | np.ndarray,
                  seed: int = 0) -> dict:
    """How far the medians of two series of the same thing are apart.

    Args:
        first_ms: (n,) latencies.
        second_ms: (m,) latencies of the same candidate, taken in turn with the first.
        seed: Of the bootstrap.

    Returns:
        ``difference``, the relative difference of the medians; ``ci95``, its bootstrap interval; and ``floor``, the
        largest difference that the interval allows: what is below it may be nothing.
    """
    first, second = np.asarray(first_ms, np.float64), np.asarray(second_ms, np.float64)
    rng = np.random.default_rng(seed)
    medians = [np.median(rng.choice(row, (_BOOTSTRAPS, len(row))), 1) for row in (first, second)]
    low, high = np.quantile(medians[1] / medians[0] - 1, (0.025, 0.975))
    difference = float(np.median(second) / np.median(first) - 1)
    return {
        'median_ms': [round(float(np.median(row)), 5) for row in (first, second)],
        'difference': round(difference, 5),
        'ci95': [round(float(low), 5), round(float(high), 5)],
        'floor': round(float(max(abs(low), abs(high), abs(difference))), 5),
    }


def floor_of(record: dict, floors: Iterable[dict]) -> float:
    """Relative difference below which two rows measured like this record are equal; 0 where it was not measured.

    Args:
        record: As written to JSON.
        floors: One for each number of threads.
    """
    return max((floor['floor'] for floor in floors if floor['threads'] == record['threads']), default=0.)


def mark_noisy(records: Sequence[dict], floor: dict) -> None:
    """Marks all rows of the rounds in which equal candidates differed too much.

    Args:
        records: Of the same number of threads; changed in place.
        floor: Of their rounds.
    """
    difference = abs(floor['difference'])
    if difference > _MAX_DIFFERENCE:
        for record in records:
            record['noisy'] = True
            record['noisy_because'].append(f'the same engine measured twice differed by {difference:.1%}')


def describe_floor(floor: dict) -> str:
    """One line for the foot of a table."""
    low, high = floor['ci95']
    return (f"A/A, {floor['threads']} thr: {floor['engine']} twice differs by {floor['difference']:+.1%} "
            f"({low:+.1%} to {high:+.1%}): less than {floor['floor']:.1%} is equal")


def floor_record(record: dict, twins: dict) -> dict:
    """A noise floor with what it was measured on.

    Args:
        record: Of the row that was run twice.
        twins: Of its two series.
    """
    return {**{key: record[key] for key in _KEYS}, **twins}
