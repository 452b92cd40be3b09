"""The A/A check: a network measured on an engine as if it were two; smaller differences than theirs mean nothing."""
from collections.abc import Iterable, Sequence

import numpy as np

from lcvision.latency.record import LatencyRecord
from lcvision.timing.rounds import Series
from lcvision.timing.statistics import resampled_medians

# Between two equal candidates in the same rounds; beyond it no number of these rounds is worth much.
_MAX_DIFFERENCE = 0.03
_KEYS = ('config', 'engine', 'precision', 'threads', 'input', 'scope')


def noise_floor(record: LatencyRecord, first: Series, second: Series) -> dict:
    """How far apart the medians of a record's row and of the same one prepared anew are, in the same rounds.

    It is what the row was, the relative ``difference`` of the medians, ``ci95``, its bootstrap interval, and ``floor``,
    the largest difference that the interval allows: a smaller one may be none.
    """
    shared = sorted(first.blocks.keys() & second.blocks.keys())
    drawn = resampled_medians(*([one.blocks[turn] for turn in shared] for one in (first, second)))
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0] - 1, (0.025, 0.975))
    medians = [float(np.median(one.samples_ms)) for one in (first, second)]
    difference = medians[1] / medians[0] - 1
    return {**{key: getattr(record, key) for key in _KEYS},
            'median_ms': [round(median, 5) for median in medians],
            'difference': round(difference, 5), 'ci95': [round(float(low), 5), round(float(high), 5)],
            'floor': round(float(max(abs(low), abs(high), abs(difference))), 5)}


def floor_of(record: LatencyRecord, floors: Iterable[dict]) -> float:
    """Relative difference below which rows measured like this one are equal; 0 where no floor has its threads."""
    return max((floor['floor'] for floor in floors if floor['threads'] == record.threads), default=0.)


def mark_noisy(records: Sequence[LatencyRecord], floor: dict) -> None:
    """Marks all rows of rounds in which equal candidates differed too much."""
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
