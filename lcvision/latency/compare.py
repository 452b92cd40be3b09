"""How far two rows differ: the A/A noise floor, ratios of medians, and a guard against an earlier run."""
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lcvision.errors import UserError
from lcvision.latency.record import LatencyRecord, Measurements, Summary, parse_json
from lcvision.timing.rounds import Series
from lcvision.timing.statistics import resampled_medians

# Between two equal candidates in the same rounds; beyond it no number of these rounds is worth much.
_MAX_DIFFERENCE = 0.03
_KEYS = ('config', 'engine', 'precision', 'threads', 'input', 'scope')
_MACHINE = {
    'cpu': 'CPU', 'cpu_id': 'family, model, stepping', 'flags': 'instruction sets', 'flags_hash': 'hash of all flags',
    'cores': 'CPUs', 'physical_cores': 'cores', 'affinity': 'usable CPUs', 'cgroup_quota': 'quota',
    'isa_cap': 'forbidden kernels', 'torch_cpu_capability': "torch's kernels", 'governor': 'governor',
    'hypervisor': 'hypervisor', 'product': 'product'}


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


def format_ratio(ours: Summary, theirs: Summary, mark: str = '', floor: float = 0.) -> str:
    """A ratio of two medians, followed by ``mark`` and its bounds; equal up to the relative difference ``floor``."""
    ratio, low, high = ratio_bounds(ours, theirs)
    return f'{ratio:.2f}{mark} ({low:.2f}-{high:.2f})' + ' equal' * is_equal(ratio, floor)


def ratio_bounds(ours: Summary, theirs: Summary) -> tuple[float, float, float]:
    """The ratio of two medians, and the smallest and largest that both 95 % intervals allow."""
    return ours.median / theirs.median, ours.ci95[0] / theirs.ci95[1], ours.ci95[1] / theirs.ci95[0]


def is_equal(ratio: float, floor: float) -> bool:
    """Whether a ratio is 1 up to the relative difference ``floor``."""
    return bool(floor) and abs(math.log(ratio)) <= math.log1p(floor)


@dataclass
class Verdict:
    """What a comparison found.

    Attributes:
        lines: For the reader.
        slower: Rows that are slower than the baseline beyond the noise floor, of those ``judged``.
        missing: Rows of the baseline that were not measured now.
        comparable: Whether both runs were made on one machine.
    """

    lines: list[str] = field(default_factory=list)
    slower: int = 0
    judged: int = 0
    missing: int = 0
    comparable: bool = True

    @property
    def failed(self) -> bool:
        """Whether a guard has to stop here."""
        return self.slower + self.missing > 0


def read_baseline(path: str, option: str = '--compare') -> Measurements:
    """The results of an earlier run, from the file that ``--json`` wrote and ``option`` names; else a UserError."""
    try:
        content = parse_json(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f'{option} {path} cannot be read: {error.strerror}; give a file that --json wrote') from None
    except ValueError:
        raise UserError(f'{option} {path} is not JSON: give a file that --json wrote') from None
    found = Measurements.from_json(content, f'{option} {path}')
    if not isinstance(found.environment.get('cpu'), str):
        raise UserError(f'{option} {path} lacks the CPU in its environment: write it again with --json')
    floors, versions = found.environment.get('noise_floor') or [], found.environment.get('versions') or {}
    if not isinstance(versions, dict) or not isinstance(floors, list) or not all(
            isinstance(one, dict) and 'threads' in one and isinstance(one.get('floor'), int | float) and
            one['floor'] >= 0 for one in floors):
        raise UserError(f'{option} {path} has no valid noise_floor or versions in its environment: write it again with '
                        '--json')
    return found


def compare_runs(records: Sequence[LatencyRecord], machine: dict, baseline: Measurements) -> Verdict:
    """Puts each row of a run beside the baseline's row that was measured alike.

    Where both runs read the yardsticks with the same torch, each row counts as a multiple of them, so that a machine
    that changed its clock or shares its memory is not taken for a slower network. How much of the time is arithmetic
    and how much is memory is not known: a row is slower when none of the yardsticks explains it, by the whole interval
    of its ratio and more than the larger noise floor of the two runs. A noisy row is judged too, with a mark: a guard
    should rather ask twice than miss one. ``machine`` is this run's environment, with its noise floors.
    """
    then = baseline.environment
    differences = machine_differences(machine, then)
    if differences:
        return Verdict(['cannot judge: the baseline was measured on another machine or under other limits, measure one '
                        'here:', *(f'  {line}' for line in differences)], comparable=False)
    verdict = Verdict([f"ratio to the baseline of {then.get('git_revision') or 'an unknown revision'} (outer bounds of "
                       'both 95 % intervals), then what the yardsticks leave of it:'])
    known = {row_key(record): record for record in baseline.records}
    same_torch = (machine.get('versions') or {}).get('torch') == (then.get('versions') or {}).get('torch')
    for record in records:
        old = known.get(row_key(record))
        if old is None:
            verdict.lines.append(f'  {"not in the baseline":45} {record}')
            continue
        verdict.judged += 1
        floor = max(floor_of(record, machine.get('noise_floor') or ()), floor_of(old, then.get('noise_floor') or ()))
        bounds = _yardstick_bounds(record, old) if same_torch else []
        _, lows, highs = zip(*bounds or [ratio_bounds(record.latency_ms, old.latency_ms)], strict=True)
        low, high = min(lows), max(highs)
        word = 'SLOWER' if low > 1 + floor else 'quicker' if high < 1 / (1 + floor) else 'equal'
        verdict.slower += word == 'SLOWER'
        ratio = format_ratio(record.latency_ms, old.latency_ms, '*' * (record.noisy or old.noisy))
        left = f'{low:.2f}-{high:.2f}' if bounds else 'no yardstick'
        verdict.lines.append(f'  {ratio:22} {left:13} {word:8} {record}')
    missing = known.keys() - set(map(row_key, records))
    verdict.missing = len(missing)
    verdict.lines += [f'  {"MISSING, not measured now":45} {old}' for key, old in known.items() if key in missing]
    if verdict.slower and any(record.noisy for record in records):
        verdict.lines.append('  * noisy: measure again on a quiet machine before believing it')
    return verdict


def machine_differences(now: dict, then: dict) -> list[str]:
    """What differs between the environments of this run and of the baseline, where both recorded it."""
    return [f'{name}: {_text(then[key])} there, {_text(now[key])} here' for key, name in _MACHINE.items()
            if key in now and key in then and now[key] != then[key]]


def row_key(record: LatencyRecord) -> tuple:
    """What two rows must share to be compared."""
    return record.name, *record.conditions


def _yardstick_bounds(record: LatencyRecord, old: LatencyRecord) -> list[tuple[float, float, float]]:
    ours, theirs = record.yardstick or {}, old.yardstick or {}
    return [ratio_bounds(*(Summary(part[kind]['ratio'], part[kind]['ci95']) for part in (ours, theirs)))
            for kind in ours if kind in theirs and ours[kind].get('work') == theirs[kind].get('work')]


def _text(value: Any) -> str:
    return ' '.join(map(str, value)) if isinstance(value, list) else str(value)
