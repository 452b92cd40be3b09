"""A guard against regressions: this run's medians as ratios to those of an earlier one."""
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lcvision.errors import UserError
from lcvision.latency.noise_floor import floor_of
from lcvision.latency.paper_ratios import format_ratio, ratio_bounds

SCHEMA = 1
_KEYS = ('engine', 'precision', 'threads', 'input', 'scope')


@dataclass
class Verdict:
    """What a comparison found.

    Args:
        lines: For the reader.
        slower: Rows that are slower than the baseline beyond the noise floor.
        judged: Rows that were compared.
    """

    lines: list[str] = field(default_factory=list)
    slower: int = 0
    judged: int = 0


def read_baseline(path: str) -> dict:
    """The results of an earlier run.

    Args:
        path: File that ``--json`` wrote.

    Raises:
        UserError: It is not there, or it is another kind of file.
    """
    try:
        content = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f'--compare {path} cannot be read: {error.strerror}; give a file that --json wrote') from None
    except ValueError:
        raise UserError(f'--compare {path} is not JSON: give a file that --json of this tool wrote') from None
    found = content.get('schema') if isinstance(content, dict) else None
    if found != SCHEMA:
        what = 'no schema' if found is None else f'schema {found!r}'
        raise UserError(f'--compare {path} has {what}, but schema {SCHEMA} is needed: give a file that --json of this '
                        'version of the tool wrote')
    machine, rows = content.get('environment'), content.get('results')
    if not isinstance(machine, dict) or not isinstance(machine.get('cpu'), str) or not _are_records(rows):
        raise UserError(f'--compare {path} lacks the environment or has broken results: write it again with --json')
    return content


def compare_runs(records: Sequence[dict], machine: dict, baseline: dict) -> Verdict:
    """Puts each row beside the one of the baseline that was measured alike.

    A row is slower when the whole interval of its ratio lies above one by more than the larger noise floor of the two
    runs. A noisy row is judged as well, with a mark, since a guard had better ask twice than miss one.

    Args:
        records: Of this run, as written to JSON.
        machine: This run's environment, with its noise floors.
        baseline: From :func:`read_baseline`.
    """
    then = baseline['environment']
    if machine['cpu'] != then['cpu']:
        return Verdict([f"cannot judge: the baseline was measured on {then['cpu']}, and this is {machine['cpu']}; "
                        'measure a baseline here'])
    verdict = Verdict([f"ratio to the baseline of {then.get('git_revision') or 'an unknown revision'} (outer bounds of "
                       'both 95 % intervals):'])
    known = {_key(record): record for record in baseline['results']}
    for record in records:
        old = known.get(_key(record))
        if old is None:
            continue
        verdict.judged += 1
        floor = max(floor_of(record, machine.get('noise_floor') or ()), floor_of(old, then.get('noise_floor') or ()))
        low, high = ratio_bounds(record['latency_ms'], old['latency_ms'])[1:]
        word = 'SLOWER' if low > 1 + floor else 'quicker' if high < 1 / (1 + floor) else 'equal'
        verdict.slower += word == 'SLOWER'
        mark = '*' if record['noisy'] or old['noisy'] else ''
        verdict.lines.append(f"  {format_ratio(record['latency_ms'], old['latency_ms'], mark):22} {word:8} "
                             f'{_describe(record)}')
    missing = len(records) - verdict.judged
    if missing:
        verdict.lines.append(f'  {missing} row(s) have no counterpart in the baseline')
    if verdict.slower and any(record['noisy'] for record in records):
        verdict.lines.append('  * noisy: measure again on a quiet machine before believing it')
    return verdict


def _are_records(rows: Any) -> bool:
    return isinstance(rows, list) and all(_is_record(row) for row in rows)


def _is_record(row: Any) -> bool:
    if not isinstance(row, dict) or not {'config', 'noisy', 'latency_ms', 'engine', 'threads', 'input'} <= row.keys():
        return False
    ms = row['latency_ms']
    numbers = (ms.get('median'), *(ms.get('ci95') or ())) if isinstance(ms, dict) else ()
    return len(numbers) == 3 and all(isinstance(x, (int, float)) and x > 0 for x in numbers)


def _key(record: dict) -> tuple:
    return (Path(record['config']).stem, *(_plain(record.get(key)) for key in _KEYS))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def _describe(record: dict) -> str:
    size = 'x'.join(map(str, record['input']))
    return (f"{Path(record['config']).stem} {size}, {record['engine']} {record['precision']}, {record['threads']} thr, "
            f"{record.get('scope', 'net')}")
