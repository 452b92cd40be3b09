"""Numbers and latency records that a page can show."""
import json
import math
from typing import Any

from lcvision.errors import UserError
from lcvision.tasks import TASKS

_TEXTS = ('config', 'engine', 'precision')
_REPAIR = 'write it again with tools/benchmark_cpu.py --json or tools/test.py --json'


def parse_json(content: bytes) -> Any:
    """Reads JSON; what is no number that a page could hold (NaN, infinite, of more than 15 digits) becomes None.

    Args:
        content: In UTF-8, with or without a byte-order mark, or UTF-16.

    Raises:
        ValueError: It is something else.
    """
    def whole(text: str) -> int | None:
        return int(text) if len(text) <= 15 else None

    def number(text: str) -> float | None:
        return value if math.isfinite(value := float(text)) else None

    try:
        return json.loads(content, parse_int=whole, parse_float=number, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError('it is nested too deeply') from None


def check_record(record: Any, where: str) -> None:
    """Checks what a picture needs of a record.

    Args:
        record: As read from JSON.
        where: File and place of the record, for the message.

    Raises:
        UserError: Something is missing or is of another kind.
    """
    if not isinstance(record, dict):
        raise UserError(f'{where} is {type(record).__name__}, not a latency record: {_REPAIR}')
    wrong = [key for key in _TEXTS if not _text(record.get(key))]
    if record.get('task') not in TASKS:
        wrong.append(f"task ({', '.join(TASKS)})")
    if record.get('scope', 'net') not in ('net', 'e2e'):
        wrong.append('scope (net, e2e)')
    if not _whole(record.get('threads')):
        wrong.append('threads')
    size = record.get('input')
    if not isinstance(size, list) or len(size) != 2 or not all(map(_whole, size)):
        wrong.append('input ([H, W])')
    wrong += [key for key in ('params', 'macs', 'samples') if record.get(key) is not None and not _whole(record[key])]
    wrong += [key for key in ('first_ms', 'compile_s') if record.get(key) is not None and not _time(record[key])]
    reasons = record.get('noisy_because') or []
    if not isinstance(reasons, list) or not all(map(_text, reasons)):
        wrong.append('noisy_because')
    wrong += [f'latency_ms.{key}' for key in _wrong_ms(record.get('latency_ms'))]
    yardstick = record.get('yardstick')
    if yardstick is not None and not _is_yardstick(yardstick):
        wrong.append('yardstick')
    if wrong:
        raise UserError(f'{where} lacks a proper {", ".join(wrong)}: {_REPAIR}')


def _wrong_ms(ms: Any) -> list[str]:
    if not isinstance(ms, dict):
        return ['median']
    wrong = [] if _time(ms.get('median')) else ['median']
    # Few samples have no p90, and a series of one has no interval.
    wrong += [key for key in ('p10', 'p90') if ms.get(key) is not None and not _time(ms[key])]
    interval = ms.get('ci95')
    if interval is not None and not (isinstance(interval, list) and len(interval) == 2 and all(map(_time, interval))):
        wrong.append('ci95')
    return wrong


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value)


def _is_yardstick(value: Any) -> bool:
    compute = value.get('compute') if isinstance(value, dict) else None
    return isinstance(compute, dict) and not _wrong_ms(
        {'median': compute.get('ratio'), 'ci95': compute.get('ci95') or 0})


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
