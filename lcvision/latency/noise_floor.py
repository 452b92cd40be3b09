"""The A/A check: one network on one engine, measured as if it were two, and what the difference says of all others."""
from collections.abc import Iterable, Sequence

import numpy as np

from lcvision.timing.rounds import Series
from lcvision.latency.record import LatencyRecord
from lcvision.timing.statistics import resampled_medians

# Of two equal candidates in the same rounds; beyond it no number of these rounds is worth much.
_MAX_DIFFERENCE = 0.03
_KEYS = ('config', 'engine', 'precision', 'threads', 'input', 'scope')


def compare_twins(first: Series, second: Series, seed: int = 0) -> dict:
    """How far the medians of two series of the same thing are apart.

    Args:
        first: Of a candidate.
        second: Of the same, prepared anew, in the same rounds.
        seed: Of the bootstrap.

    Returns:
        ``difference``, the relative difference of the medians; ``ci95``, its bootstrap interval; and ``floor``, the
        largest difference that the interval allows: what is below it may be nothing.
    """
    shared = sorted(first.blocks.keys() & second.blocks.keys())
    drawn = resampled_medians(*([one.blocks[turn] for turn in shared] for one in (first, second)), seed=seed)
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0] - 1, (0.025, 0.975))
    medians = [float(np.median(one.samples_ms)) for one in (first, second)]
    difference = medians[1] / medians[0] - 1
    return {
        'median_ms': [round(median, 5) for median in medians],
        'difference': round(difference, 5),
        'ci95': [round(float(low), 5), round(float(high), 5)],
        'floor': round(float(max(abs(low), abs(high), abs(difference))), 5),
    }


def floor_of(record: LatencyRecord, floors: Iterable[dict]) -> float:
    """Relative difference below which two rows measured like this record are equal; 0 where it was not measured.

    Args:
        record: A row.
        floors: One for each number of threads.
    """
    return max((floor['floor'] for floor in floors if floor['threads'] == record.threads), default=0.)


def mark_noisy(records: Sequence[LatencyRecord], floor: dict) -> None:
    """Marks all rows of the rounds in which equal candidates differed too much.

    Args:
        records: Of the same number of threads; changed in place.
        floor: Of their rounds.
    """
    difference = abs(floor['difference'])
    if difference > _MAX_DIFFERENCE:
        for record in records:
            record.noisy = True
            record.noisy_because.append(f'the same engine measured twice differed by {difference:.1%}')


def describe_floor(floor: dict) -> str:
    """One line for the foot of a table."""
    low, high = floor['ci95']
    return (f"A/A, {floor['threads']} thr: {floor['engine']} twice differs by {floor['difference']:+.1%} "
            f"({low:+.1%} to {high:+.1%}): less than {floor['floor']:.1%} is equal")


def floor_record(record: LatencyRecord, twins: dict) -> dict:
    """A noise floor with what it was measured on.

    Args:
        record: Of the row that was run twice.
        twins: Of its two series.
    """
    return {**{key: getattr(record, key) for key in _KEYS}, **twins}
